"""The registry: asks it for what an image runs, where a pod does not say so itself.

Belongs here: names of images, pull secrets, the OCI distribution API, and what is remembered of it.
Does not belong here: what becomes of the answer; `webhook.model.images` has the question and the
answer.
May be imported by: the webhook's server and the offline command.

Pure: `references`, `pull_secrets`, `challenges`, `manifests`. The rim: `exchange`
(one image at one registry), `asking` (within the time, once for all who ask, remembered).
"""
