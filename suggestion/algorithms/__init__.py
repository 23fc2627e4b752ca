"""The algorithms of trialwatch, one file for each: searches, and the early-stopping rule.

Belongs here: the settings, the faults and the search of each algorithm; `median_stop`.
Does not belong here: what algorithms share (`suggestion.core`), except the bridge to Optuna for its
two algorithms.
May import: `suggestion.core`, `api`, and the algorithm's own library. May be imported by: only
`median_stop` is imported, by `suggestion.service` and `runner`. `suggestion.core.registry` loads
the searches by name when a caller asks for them.
"""
