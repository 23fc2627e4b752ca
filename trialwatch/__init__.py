"""The command line: `trialwatch COMMAND`, a module for each command.

    get, logs, plot   over one of two sources (`sources`): what is kept on this machine (`kept`), or
                      a cluster (`cluster`, loaded by name: not everybody has its client)

Belongs here: arguments, what is printed where, exit statuses; imports inside the commands, so that
`trialwatch --help` is quick. Does not belong here: anything that another program could use.
May import: everything. May be imported by: nothing.
"""
