"""Experiments and trials: what becomes of them, as pure functions; and who does what they decide.

Belongs here: `reconcile_experiment` and `reconcile_trial`, which take a view of the world and a
moment and give the actions that are due; all that they are made of (templates, conditions of jobs,
counters, budgets, observations and their absence); the ports that a driver stands on, honest
in-memory ones among them, and the driver; the ports over a cluster (`cluster_...`) and over
services elsewhere (`remote_...`); the program that gives all objects of a cluster their turns
(`app`, `term`, `workers`).
Does not belong here: how jobs run, how objects are kept, how points are chosen, how metrics are
collected. The core reads no clock and draws no random number.
May import: `api`, `filters`, `kube`, `serving`. May be imported by: `runner` and `trialwatch`.

Reading order: `views` (in), `actions` (out), `experiments` and `trials` (the two folds), then
`ports` and `drive`; for the program `app`, `term`, `workers`.
"""
