"""What people look at: a table or lines while an experiment runs, last words, a report with plots.

Belongs here: pure functions from objects and a moment to what is shown. `standing` is read by all
the others; it has the facts, they have the looks.
Does not belong here: the terminal, files, the clock; whatever decides what an experiment does.
May import: `api`, `filters`. May be imported by: `trialwatch`.
"""
