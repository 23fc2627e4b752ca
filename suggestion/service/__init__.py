"""Katib's gRPC services `Suggestion` and `EarlyStopping`.

Belongs here: reading requests, writing replies, reading observations from a DB manager, and
writing the status of early-stopped trials.
Does not belong here: how a search or a stop rule decides, ports and flags (the program).
May import: the other modules of `suggestion`, `serving`, `kube`, `api`. May be imported by: the
suggestion program, `runner`.
"""
