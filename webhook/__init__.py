"""The injector: puts the collector into the pods of trials, as the API server creates them.

Belongs here: the program `python -m webhook`, and its rooms: `model` (the vocabulary), `pods` and
`experiments` (what is decided, pure), `driver` (answers what a decision asks), `server` (admission
over HTTP), `registry` (what an image runs), `certificates` (what the server serves with).
Does not belong here: what the collector does in the pod, and what a trial is.
May import: `filters`, `kube`, `serving` and `api`. May be imported by: `trialwatch` and `runner`.
"""
