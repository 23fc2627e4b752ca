"""Whether an Experiment is valid and can run, found without a trial, or from the trials of a run.

Belongs here: the rules of this machine (`validity`, `preflight`), the answer of an API server
(`cluster_check`), and metrics that no trial has printed (`unseen_metrics`).
Does not belong here: the rules themselves (`api.objects`, `webhook.experiments`,
`runner.commands`); the check of a program that is not in an Experiment yet (`own_program`).
May import: `admission`, `runner`, `webhook`, `api`; `cluster_check` also `kube`, so it is imported
by name, on use. May be imported by: `commands`.
"""
