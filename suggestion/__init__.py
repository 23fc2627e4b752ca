"""Search algorithms behind one interface, early stopping, and the gRPC service over them.

Belongs here: `suggest(space, history, count, seed) -> assignments`, one file for each algorithm;
their settings and what is wrong with them; the rules that stop a trial; `python -m suggestion`.
Does not belong here: when trials are asked for, how they run, where their metrics are stored.
May import: `serving` and `api`. May be imported by: `runner` and `trialwatch`. An algorithm's own
library is imported by that algorithm's file alone, which `registry` loads when it is asked for.
"""
