"""Search algorithms behind one interface, early stopping, and the gRPC service over them.

Belongs here: the program `python -m suggestion` and four subpackages: `core` (what all searches
share), `algorithms` (one file for each search and stop rule), `service` (Katib's gRPC services) and
`workers` (the processes in which searches run, and their limits).
Does not belong here: when to ask for trials, how trials run, where their metrics are stored.
May import: `stopping`, `serving` and `api`; only `service.early_stop_status` imports `kube`. May be
imported by: `runner` and `trialwatch`. Only an algorithm's file imports its library;
`core.registry` loads the file when a caller asks for the algorithm.

From a history to the next trial:

    Experiment, trials ──> SearchTask (space, search, seed) + History ──> suggest ──> assignments
                           core/search_task, core/search_space  core/trial_history  algorithms/

The history is the only state. A search is a pure function of the space, the earlier trials and a
seed. Each trial's own seed is derived from the experiment's seed and the trial's number. A
library's sampler lives for one suggestion: a sampler that is kept or replayed would repeat its
random numbers. `core.prefix_memory` saves time for two searches, and never changes an answer.

One value stands for a trial (`api.metric_values`). The search, the optimal trial, the wire and the
tables call the same function, so a laptop and a cluster ask the search the same question
(`tests/trialwatch/sources/test_laptop_and_cluster.py`).

For a search, each value is a share of [0, 1]. `core.dimensions` converts a share to a value's text
and back, by the quantiles of the parameter's distribution. So each search works with all types,
steps and distributions.

Algorithms are loaded by name, through entry points; the algorithms of trialwatch and of other
packages are loaded in the same way. So a random search never imports scikit-learn.

From the finished trials to a stop rule:

    finished trials ──> logs from the DB manager ──> averages ──> median ──> StopRule
                        service/observation_reader   algorithms/median_stop

The collector in a trial's pod applies the rule and calls `SetTrialStatus`; then the trial's status
gets the condition EarlyStopped (`service/early_stop_status`).
"""
