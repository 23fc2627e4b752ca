"""The vocabulary of the injector: values without behaviour of their own.

Belongs here: reasons, verdicts, plans, pods, images, look-ups, and the settings of an installation.
Does not belong here: decisions (`webhook.pods`, `webhook.experiments`) and I/O.
May import: `filters`, `api`. May be imported by: every other part of `webhook`, `runner`,
`trialwatch`.

The words, each for one thing:

| word | meaning | where |
|---|---|---|
| AdmissionReview | the API server's request and the webhook's response | `server` |
| decision | a generator that yields look-ups, receives answers, returns a verdict | `*.decision` |
| look-up, answer | one question of a decision and its answer | `lookups` |
| verdict | the result of a decision about a pod: inject, skip or refuse | `verdicts` |
| experiment verdict | the result of a decision about an experiment | `experiments.decision` |
| plan | the change of a pod that a verdict asks for | `plan` |
| reason | why a verdict is as it is; a word and a sentence | `reasons` |
"""
