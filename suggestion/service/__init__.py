"""Katib's gRPC services `Suggestion` and `EarlyStopping`.

Belongs here: reading requests, writing replies, reading observations from a DB manager,
writing the status of early-stopped trials, and the metrics of the service.
Does not belong here: how a search or a stop rule decides, in which process it runs (`workers`),
ports and flags (the program).
May import: the other modules of `suggestion`, `serving`, `kube`, `api`. May be imported by: the
suggestion program, `runner`.
"""
