"""The command line: `trialwatch extract`, and what will stand beside it.

Belongs here: arguments, what is printed where, exit statuses; imports inside the commands, so that
`trialwatch --help` is quick. Does not belong here: anything that another program could use.
May import: everything. May be imported by: nothing.
"""
