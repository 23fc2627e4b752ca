"""Drives a decision: answers its questions from memory, from the cluster, from a registry.

Belongs here: `decision_driver`, the look-ups of objects and of rights in a cluster, and the port
behind which a registry is.
Does not belong here: what is decided (`webhook.pods`, `webhook.experiments`).
May import: `webhook.experiments`, `webhook.pods`, `webhook.model`, `kube`, `api`. May be imported
by: `webhook.server`, the webhook's program, `trialwatch`.
"""
