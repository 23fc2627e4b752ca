"""What becomes of a pod: the decision with its reason, the plan, and the changed pod.

Belongs here: `decision` (a generator that asks for what it needs), `owners` (is it a trial's pod?),
`decide` (the plan and the reason), `mutate` (carries the plan out), and what these are made of.
Does not belong here: how a question is answered (`webhook.driver`), HTTP (`webhook.server`).
Nothing here does I/O.
May import: `webhook.model`, `filters`, `api`. May be imported by: the rest of `webhook`, `runner`,
`trialwatch`.
"""
