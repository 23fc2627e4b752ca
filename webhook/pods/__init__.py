"""The decision about a pod: the verdict with its reason, the plan, and the changed pod.

Belongs here: `decision` (the generator that yields look-ups), `owners` (finds the pod's trial),
`decide` (the verdict and its plan), `mutate` (carries the plan out), and their parts.
Does not belong here: the answers to look-ups (`webhook.driver`), HTTP (`webhook.server`), and I/O.
May import: `webhook.model`, `filters`, `api`. May be imported by: the rest of `webhook`, `runner`,
`trialwatch`.
"""
