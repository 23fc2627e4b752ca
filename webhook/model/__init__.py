"""The vocabulary of the injector: values without behaviour of their own.

Belongs here: reasons, verdicts, plans, pods, images and the settings of an installation.
Does not belong here: decisions (`webhook.pods`, `webhook.experiments`) and I/O.
May import: `filters`, `api`. May be imported by: every other part of `webhook`, `runner`,
`trialwatch`.
"""
