"""What the webhook decides, shown outside of an admission: with the webhook's own code.

Belongs here: its decision on an Experiment and its pods without a cluster (`offline_admission`,
`pod_templates`, `dry_run`, `first_trial`), and on a pod that is in a cluster (`pod_explanation`).
Does not belong here: any rule of the webhook (`webhook`); what a command prints (`commands`).
May import: `sources`, `controller`, `runner`, `suggestion.core`, `webhook`, `api`;
`pod_explanation` also `kube`, so it is imported by name, on use. May be imported by: `checks`,
`commands`.
"""
