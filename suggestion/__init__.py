"""Search algorithms behind one interface, early stopping, and the gRPC service over them.

Belongs here: `suggest(space, history, count, seed) -> assignments`, one file for each algorithm;
their settings and what is wrong with them; the rules that stop a trial; `python -m suggestion`.
Does not belong here: when trials are asked for, how they run, where their metrics are stored.
May import: `serving` and `api`; `early_stop_status` alone imports `kube`. May be imported by:
`runner` and `trialwatch`. An algorithm's own library is imported by that algorithm's file alone;
`registry` loads the file when somebody asks for the algorithm.

From a history to the next trial:

    Experiment, trials ──> Task(space, search, seed) + History ──> suggest ──> assignments
                           tasks.py                                one file for each algorithm

The history is the only state. A search is a pure function of the space, of the trials asked for so
far and of a seed; each trial's own seed is derived from the experiment's seed and the trial's
number. A library's sampler lives for one suggestion: a sampler that is kept or replayed would
repeat itself.

One value stands for a trial (`api.metric_values`). The search, the optimal trial, the wire and the
tables call the same function, so a laptop and a cluster ask the search the same question
(`tests/trialwatch/test_laptop_and_cluster.py`).

Each value is a share of [0, 1] to a search. `dimensions` turns a share into a value's text and
back, by the quantiles of the parameter's distribution. So each search works with all types, steps
and distributions.

Algorithms are loaded by name, through entry points; those of trialwatch use the same way as those
of other packages. So a random search never imports scikit-learn.
"""
