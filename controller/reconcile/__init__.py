"""The pure core: from what is known of an experiment or a trial to the actions that are due.

Belongs here: `reconcile_experiment` and `reconcile_trial`, the views that they take, the actions
that they give, and all that they are made of: states, conditions, templates, counters, budgets,
observations and their absence.
Does not belong here: how jobs run, how objects are kept, how points are chosen. Nothing here does
I/O, reads a clock or draws a random number.
May import: `api`, `filters`. May be imported by: the rest of `controller`, `runner`, `trialwatch`.

Reading order: `views` (in), `actions` (out), `experiments` and `trials` (the two folds).
"""
