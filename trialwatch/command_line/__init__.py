"""The words on the command line: the parser of all commands, its errors, the files that it names.

Belongs here: argparse with messages that say what to write instead (`arguments`), the list of the
commands and their parser (`parser`), the words of `kubectl trialwatch` (`plugin`), files and
standard input (`input_file`).
Does not belong here: the flags of one command (`commands`); flags that select a source (`sources`);
flags of a user's own program (`own_program`).
May import: `api`, and `commands` by name, on use, so that `trialwatch --help` is quick.
May be imported by: all of `trialwatch` but `sdk`.
"""
