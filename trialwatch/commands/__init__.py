"""A module for each command: its flags, its words of help, and what it does.

    tune              makes an Experiment of one line with `tuning`, and runs it as `run` does
    init              writes a commented Experiment for a command, also with `tuning`
    run               runs an experiment with `runner` and shows it with `screens` and `view`
    validate          prints what `checks` finds in the files of experiments
    get, logs, plot   read experiments from one of the `sources`
    delete            deletes an experiment of this machine or of a cluster
    extract           finds metrics in a log with `filters`
    inject, explain   show decisions of the webhook, with the webhook's own code (`admission`)
    migrate           takes over a cluster from Katib, with `migration`
    completion        prints the completion for a shell, from the parsers of all commands

Belongs here: one module for each name in `command_line.parser.COMMANDS`. It has `add_arguments`,
`run` (which returns the exit status) and `EXAMPLES`; its docstring is the text of `--help`.
Does not belong here: what two commands share: that has a package of its own beside this one.
May import: all packages beside it but `search_process` and `sdk`. May be imported by:
`search_process`, and by name `command_line.parser`, which imports only the command that is called.
"""
