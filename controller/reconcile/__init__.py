"""The pure core: from the known state of an experiment or a trial to the actions that are due.

Belongs here: `reconcile_experiment` and `reconcile_trial`, the views that they take, the actions
that they return, and their parts: states, conditions, templates, counters, budgets, observations,
and the reasons why an observation is missing.
Does not belong here: how jobs run, how objects are stored, how points are chosen. Nothing here does
I/O, reads a clock or draws a random number.
May import: `api`, `filters`. May be imported by: the rest of `controller`, `runner`, `trialwatch`.

Reading order: `views` (in), `actions` (out), `experiments` and `trials` (the two functions).
"""
