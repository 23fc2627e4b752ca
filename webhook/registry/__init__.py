"""Finds out the command of an image at its registry, for pods that have no `command`.

Belongs here: names of images, pull secrets, the OCI distribution API, and the cache of commands.
Does not belong here: the use of a command; `webhook.model.lookups` has the look-up and its answers.
May import: `webhook.model`, `kube`, `api`. May be imported by: the webhook's program, `trialwatch`.

Pure: `references`, `pull_secrets`, `challenges`, `manifests`. I/O: `client` (one image at one
registry with one login), `lookups` (time limit, shared requests, cache).

    ImageLookup ──> ImageReference + Logins ──> RegistryClient ──> index ──> manifest ──> config
                    references.py               client.py          manifests.py
                    pull_secrets.py             challenges.py

- **A registry is not trusted.** Its redirects are followed over TLS only, and never with the login.
  Its responses are limited in size, never decompressed, and checked against their digests.
- **Logins are the pod's own**, matched by the kubelet's rules. What one login may read is not used
  for a pod without that login; but the command of a digest is the same for all.
- **Look-ups of one image share one request**, which continues when its first waiter gives up.
"""
