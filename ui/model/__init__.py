"""What the pages show, as values: experiments, trials in columns, curves, and parameters.

    Experiment, Trials, newest values, now ──> ExperimentSummary ──┬─> experiment_list
                                                                   ├─> experiment_page
                                                                   └─> trial_columns
    points of a trial ──> curves         an experiment's trials ──> importance
    text and a format ──> format_trial

Belongs here: pure functions from objects, points and a time to frozen values. The server sends them
as JSON, and the OpenAPI document describes their types; the terminal's views read the summary too.
Does not belong here: HTTP, files, the clock; colours and texts of the pages (`web/`).
May import: `api`, `filters`, `controller.reconcile`. May be imported by: `ui`, `trialwatch`.
"""
