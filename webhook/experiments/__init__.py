"""The decision about an experiment: all its faults at once, its warnings, and its defaults.

Belongs here: what only a cluster can say about an experiment (its template's ConfigMap, the
algorithms, collectors and trial kinds of the installation), and the warnings.
Does not belong here: the defaults and rules themselves; they are in `api.objects`, where the local
runner uses them too. HTTP (`webhook.server`) and I/O.
May import: `webhook.pods`, `webhook.model`, `filters`, `kube.cluster`, `api`. May be imported by:
`webhook.driver`, `webhook.server`.

`request` is the input; `decision` is the generator that yields look-ups and returns the verdict.
`authors` decides whether the author of an experiment or of a trial may have such trials, and
`author_annotation` stores that answer in the experiment. `installation` has the rules of this
installation; `warnings` finds what is valid but probably a mistake; `defaulting` fills in what is
left out.
"""
