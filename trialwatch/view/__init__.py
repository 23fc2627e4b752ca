"""What people look at: a table or lines while an experiment runs, last words, a report with plots.

Belongs here: pure functions from objects and a moment to what is shown. `standing` is read by all
the others; it has the facts, they have the looks.
Does not belong here: the terminal, files, the clock; whatever decides what an experiment does.
May import: `api`, `filters`. May be imported by: `trialwatch`.

From objects to what a person sees:

    Experiment, trials, newest values, now ──> Standing ──> live     a table, large as the terminal
                                               standing  ├─> lines    lines, without a terminal
                                                         ├─> closing  optimal trial, and failures
                                                         └─> report   one HTML file with two plots

All of this is pure; `trialwatch/screen.py` writes to the terminal. The objects come from a source
(`trialwatch/source.py`): the files of a run on this machine, or an API server. Equal objects give
equal output. The table takes the first of its layouts that fits the terminal, and as many rows as
the terminal has lines: the best trials, the running ones and the newest. It counts the others.
"""
