"""Drives decisions: answers their look-ups from caches, from the cluster and from registries.

Belongs here: `decision_driver`, the look-ups of objects and of rights in a cluster, the release of
finalizers, and the ports behind which registries and the certificate stand.
Does not belong here: the decisions (`webhook.pods`, `webhook.experiments`).
May import: `webhook.experiments`, `webhook.pods`, `webhook.model`, `kube`, `api`. May be imported
by: `webhook.server`, the webhook's program, `trialwatch`.
"""
