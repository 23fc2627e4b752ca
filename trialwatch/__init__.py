"""The command line: `trialwatch COMMAND`, a module for each command.

    tune              makes an Experiment of one line with `tuning`, and runs it as `run` does
    init              writes a commented Experiment for a command, also with `tuning`
    run               runs an experiment with `runner` and shows it with `screen` and `view`
    get, logs, plot   read experiments from one of two sources (`source_choice`): this machine
                      (`local_source`) or a cluster (`cluster_source`; it is imported only on use,
                      because the client of Kubernetes is an optional dependency)
    extract           finds metrics in a log with `filters`
    completion        prints the completion for a shell, from the parsers of all commands
    inject, explain   show decisions of the webhook, with the webhook's own code

An installed trialwatch has this package at the top and all others below `_packages`, so that their
names are free for a user's project. Two entry points find them (`own_packages`): `__main__`, and
`program`, which starts our other programs in a Python of their own. `import trialwatch` in a user's
process imports nothing.

Belongs here: arguments, output, exit statuses. Commands are imported on use, so that
`trialwatch --help` is quick.
Does not belong here: anything that another program could use.
May import: everything. May be imported by: nothing.
"""
