"""The process that searches for `trialwatch.tune`: `trialwatch tune`, with answers for a program.

    python -I -m trialwatch.program trialwatch.search_process PARENT DESCRIPTOR OUTPUT tune ...

Each answer is one line of JSON on the descriptor, an object (`messages`). Its field `event`:

| event | what else it has |
|---|---|
| `line` | `text`: a line for the user, if OUTPUT is `lines` or `views` |
| `view` | `html` and `text`: the table at this moment, if OUTPUT is `views` |
| `result` | the experiment with all trials, also of an interrupted search; it is the last one |
| `error` | `text`: why there is no result; it is the last one |

If OUTPUT is `terminal`, the table is drawn on standard output, as on the command line. If the
process PARENT ends for any reason, this process acts as at Ctrl-C, so no trial is left behind
(`parent`).

Belongs here: what shows a search to a program instead of a person.
Does not belong here: how a search runs (`trialwatch.commands.tune`); the parent (`trialwatch.sdk`).
May import: everything. May be imported by: nothing; `trialwatch.sdk` starts it.
"""
