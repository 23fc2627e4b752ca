"""Views of an experiment: a live table or lines while it runs, its result, a report with plots.

Belongs here: pure functions from objects and a time to text, tables and plots. All of them read an
`ExperimentSummary` of `ui.model`.
Does not belong here: the terminal, files, the clock; decisions about an experiment.
May import: `ui.model`, `api`, `filters`. May be imported by: `trialwatch`, except `tuning`
and `sdk`.

From objects to the user:

    Experiment, trials, newest values, now
        ──> ExperimentSummary ──┬─> live     a table as large as the terminal
                                ├─> lines    lines, without a terminal
                                ├─> closing  the optimal trial, and failures
                                └─> report   one HTML file with two plots

All of this is pure; `trialwatch.screens` writes to the terminal. The objects come from a source
(`trialwatch.sources`): the files of a run on this machine, or an API server. Equal objects give
equal output. The table takes the first of its layouts that fits the terminal, and as many rows as
the terminal has lines: the best trials, the running ones and the newest. It counts the others.
"""
