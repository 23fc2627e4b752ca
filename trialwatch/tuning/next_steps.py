"""What a user can do after a search: use the best values, search on, save a file."""

from __future__ import annotations

from api.objects.validation_update import MAX_TRIALS_REACHED
from api.types import Experiment
from trialwatch.tuning.command import PARAMS_JSON, PARAMS_YAML, Command, command_line
from trialwatch.tuning.experiment import GRID
from trialwatch.tuning.next_line import command_words


def next_steps(experiment: Experiment, command: Command, trials: int) -> list[str]:
    """Return the lines; none if no trial has succeeded.

    Args:
        experiment: the experiment at its end.
        command: the user's command, with places for parameters.
        trials: how many trials the line allows.
    """
    best = experiment.status.optimal_trial
    if best is None or not best.assignments:
        return []
    lines = []
    if not {PARAMS_JSON, PARAMS_YAML} & {*command.placeholders}:
        values = {one.name: one.value for one in best.assignments}
        filled = command.filled(lambda name: values.get(name, f"{{{name}}}"))
        lines = ["the program with these values:", f"  {command_line(command_words(filled))}"]
    if _has_more(experiment):
        lines.append(f"to search on, write the same line with --trials {trials * 2}")
    return [*lines, "for a cluster, write the same line with --save experiment.yaml"]


def _has_more(experiment: Experiment) -> bool:
    """Return whether only the number of trials has ended the search."""
    algorithm = experiment.spec.algorithm
    return (algorithm is None or algorithm.name != GRID) and any(
        condition.reason == MAX_TRIALS_REACHED for condition in experiment.status.conditions
    )
