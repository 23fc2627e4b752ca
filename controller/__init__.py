"""Experiments and trials: what becomes of them, and the program that carries it out.

Belongs here: the program (`app`, `leader_term`, `guarded_reconcile`, settings, metrics), the loop that
gives turns, in `runner` too (`reconcile_workers`), and four rooms: `reconcile` (the pure core),
`driver` (carries its actions out, through ports), `on_kube` and `over_grpc` (the ports over a
cluster and over services).
Does not belong here: how jobs run, how points are chosen, how metrics are collected.
May import: `api`, `filters`, `kube`, `serving`. May be imported by: `runner` and `trialwatch`.

Reading order: `reconcile.views` (in), `reconcile.actions` (out), `reconcile.experiments` and
`reconcile.trials` (the two folds), then `driver.ports` and `driver.driver`; for the program `app`,
`leader_term`, `reconcile_workers`.
"""
