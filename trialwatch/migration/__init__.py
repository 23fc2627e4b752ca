"""Taking over a cluster from Katib, and going back: `trialwatch migrate`.

    cluster_survey ──> survey ──> plan ──> performer      reads, decides, acts
                          │         └────> report         says what is there, and what will happen
                          └─> kustomizations              what `kubectl apply -k` gets

A step is done when the cluster shows it: nothing is remembered on this machine. What a way back
needs, and the cluster no longer shows, is in the ConfigMap `trialwatch-migration`. An act may be
repeated at any moment, so an interrupted migration goes on when the command is given again.

Without I/O: `survey`, `plan`, `acts`, `kustomizations`, `katib_config`, `katib_webhooks`,
`suggestion_history`, `report`. With I/O: `cluster_survey`, `performer`, `kubectl`, `taking_over`.
Belongs here: what differs between a cluster of Katib and one of trialwatch.
Does not belong here: what is installed (`manifests/`); arguments and exit statuses (`commands`).
May import: `kube`, `api`. The modules with I/O need the extra `cluster`, so they are imported
by name, on use. May be imported by: `commands`.
"""
