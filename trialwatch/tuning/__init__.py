"""From one command line to an Experiment: spaces, command templates, metrics, guesses.

Belongs here: how `trialwatch tune` and `trialwatch init` write a space (`space`) and a command
(`command`), the Experiment that they mean (`experiment`), the metrics that an output has
(`candidates`), and the parameters that a command seems to have (`guess`). Values in, values out.
Does not belong here: files, processes, the terminal (`trialwatch.own_program` and
`trialwatch.commands`); rules about Experiments (`api.objects`).
May import: `api`, `filters`, `suggestion.core`. May be imported by: `trialwatch`.

    --param lr=0.001..0.1:log ──> space ────┐
    python train.py --lr={lr} ──> command ──┴─> experiment ──> Experiment ──> `trialwatch run`

The entry for other callers is a `TuningRequest` of `request`: a command, a `Space` for each
parameter and an objective, as values. `build_experiment` makes the Experiment of it.
"""
