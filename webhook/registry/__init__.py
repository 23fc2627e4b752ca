"""Finds out the command of an image at its registry, for pods that have no `command`.

Belongs here: names of images, pull secrets, the OCI distribution API, and the cache of commands.
Does not belong here: the use of a command; `webhook.model.lookups` has the look-up and its answers.
May import: `webhook.model`, `kube`, `api`. May be imported by: the webhook's program, `trialwatch`.

Pure: `references`, `pull_secrets`, `challenges`, `manifests`. I/O: `client` (one image at one
registry with one login), `lookups` (time limit, shared requests, cache).
"""
