"""The injector: adds the collector to the pods of trials when the API server creates them.

Belongs here: the program `python -m webhook` and its subpackages: `model` (the vocabulary), `pods`
and `experiments` (the decisions, pure), `driver` (answers a decision's look-ups), `server`
(admission over HTTP), `registry` (the commands of images), `certificates` (the server's
certificate), `authority` (the certificate of the DB manager).
Does not belong here: what the collector does in the pod, and what a trial is.
May import: `filters`, `kube`, `serving`, `stopping` and `api`. May be imported by: `trialwatch` and
`runner`.

From an AdmissionReview to its response:

    bytes ──> AdmissionRequest ──> decision ──> verdict ──> plan ──> changed pod ──> JSON patch
              server/              pods/          │         pods/    pods/mutate     server/
                                    ↑ ↓ look-ups  └─> Event, log, metrics
                                   driver/

- **A decision is a generator.** `pods.decision` yields look-ups, receives answers, and returns a
  verdict: inject, skip or refuse, with a reason. So the same code serves the cluster and
  `trialwatch explain` (`driver/decision_driver.py`), the local runner, and the tests.
- **Caches first, then the API server.** A cache (`kube/watching.py`) may be a moment old. So an
  object counts as absent only after the API server was asked, and an object whose uid differs from
  the owner reference's is looked up again.
- **Cached objects are JSON bytes**, without the job of a trial and without any status. They take a
  fifth of the memory, and cannot be changed by accident. Python's garbage collector ignores them
  (`app.py`).
- **When in doubt, refuse a pod with a sign of a trial** (`pods/owners.py`). If a look-up fails
  until the request's time is over, such a pod is refused with the cause; a pod without a sign
  passes. An internal error refuses every pod that reaches the webhook.
- **Experiments work the same way** (`experiments/`). One decision serves the mutating and the
  validating webhook. A request is checked only for what it changes, and its author needs the right
  to create the objects of the trials. `POST /validate-trial` checks that right for Trials that
  users write.
- **The end of the installation** (`server/uninstall_handler.py`). When the CRD of trials is
  deleted, the controller is deleted too, so the webhook removes the finalizers.
- **An image's command** comes from its registry (`registry/`), within three seconds. Without it a
  pod of kind File runs without the launcher, and a pod of kind StdOut is refused.
- **The certificate** is mounted, or made and renewed by the webhook itself (`certificates/`).
- **The DB manager's certificate** comes from the webhook too (`authority/`), so the webhook can
  give each sidecar the authorities that have signed it.
"""
