"""The injector: puts the collector into the pods of trials, as the API server creates them.

Belongs here: the decision about a pod with its reason, the change of the pod, and what a server
of admission reviews needs to ask and to answer; of experiments, too (`experiments`).
Does not belong here: what the collector does in the pod, and what a trial is.
May import: `filters`, `kube`, `serving` and `api`. May be imported by: `trialwatch` and `runner`.

The core is pure: `review` asks its questions one by one and gives a verdict. It is made of
`owners` (is it a trial's pod?), `decide` (what is to be done, and why), `mutate` and `patch`.
Around it: `registry` answers what an image runs; `certificates` has what the server serves with.
"""
