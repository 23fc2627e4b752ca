"""`trialwatch.tune` and `trialwatch.report`: what a user's own Python imports.

    user's process               our process (`trialwatch.search_process`)
    tune(train, {"lr": …}) ───>  trialwatch tune --param lr=0.01..1 -- python train.py lr={lr}
    Result, live view      <───  JSON lines: lines, views, the result or the error
                                    │ each trial is a process (`function_trial`)
                                    └─> train(lr=0.02); report(loss=0.3) prints a line

Our other packages have names such as `api`, which a user's project may have too. So the search runs
in a process of its own, and nothing here imports them. This also keeps event loops and signal
handlers out of a notebook's kernel.

Belongs here: the arguments of a call as the words of `trialwatch tune` (`spaces`, `words`), a
function as a program (`functions`, `code_digest`, `function_trial`), the process that searches
(`child`), its output (`display`), its answer (`results`).
Does not belong here: what a word means, and how a search runs: `trialwatch.commands.tune`.
May import: the standard library, cloudpickle, and pandas and IPython if the user has them.
May be imported by: `trialwatch` itself.
"""
