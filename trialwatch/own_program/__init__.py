"""A user's own program, as `trialwatch tune` and `trialwatch init` take it from one line.

    trialwatch tune FLAGS -- PROGRAM ARGUMENTS
                    │        │
                    │        └─> program_words, program_check   its words; is it on this machine?
                    └──────────> tune_arguments                 the tuning request
    without an objective ──────> one_run, first_look            one run, and its metrics
    during the search ─────────> first_metrics                  does it print the objective?
    at the end of `init` ──────> experiment_file                the Experiment as a file

Belongs here: what files, processes and the terminal have to do with such a program.
Does not belong here: what its words mean, and the Experiment of them (`tuning`, without I/O).
May import: `command_line`, `tuning`, `ui.model`, `runner`, `controller`, `suggestion.core`, `api`.
May be imported by: `commands`.
"""
