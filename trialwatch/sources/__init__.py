"""Experiments, trials and logs, read from this machine or from a cluster behind one port.

    flags ──> source_choice ──> Source ──┬─> local_source     the files of `trialwatch run`
                                         └─> cluster_source   an API server

Belongs here: the port (`source`), its two implementations, the flags that select one
(`source_choice`), and what both read from an object (`documents`).
Does not belong here: what a command prints about an object (`output`, `view`); anything that
changes an object, but for its deletion.
May import: `ui.model`, `runner`, `controller`, `api`; modules named `cluster_` also `kube`, which
needs an optional dependency, so they are imported by name, on use.
May be imported by: `admission`, `commands`, `output`.
"""
