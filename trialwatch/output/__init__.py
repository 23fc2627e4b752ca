"""What commands print about objects and logs that exist: tables, changes, a summary.

Belongs here: the columns of `trialwatch get` (`object_table`), its `--watch` (`watching`), the
summary after a log was read (`extraction_summary`), and the points of event files (`event_points`).
Does not belong here: a run of this machine on the screen (`screens`), and its views (`view`).
May import: `sources`, `ui.model`, `filters`, `api`. May be imported by: `commands`.
"""
