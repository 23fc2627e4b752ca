"""Reviews of experiments: defaults for what is left out, and a refusal with all faults at once.

Belongs here: what only a cluster can say of an experiment (its template's ConfigMap, the algorithms
and collectors of the installation), and how all of it is answered.
Does not belong here: the defaults and rules themselves; they are in `api.objects`, where the local
runner finds the same ones.
May import and be imported by: as `webhook`.

`decision` is the core, a generator that asks for objects as `webhook.pods.decision` does, and for
rights: `authors` decides whether an author may have such trials, of trials written by hand too, and
`author_annotation` keeps the answer with the experiment. `defaulting` fills in what is left out,
`warnings` says what is legal and surely meant otherwise.
"""
