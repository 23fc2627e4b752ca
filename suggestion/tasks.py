"""From an experiment and its trials to a search, its space and its history."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.errors import Fault, SpecError
from api.faults import forbidden, required
from api.metric_values import objective_value
from api.types import (
    ConditionType,
    ExperimentSpec,
    Objective,
    ObjectiveType,
    Trial,
)
from suggestion.algorithm import RANDOM_STATE, Algorithm, Search, Values
from suggestion.history import History, Past
from suggestion.registry import find, names
from suggestion.space import Point, Space, space_of

_ENDED = frozenset(
    {
        ConditionType.SUCCEEDED.value,
        ConditionType.FAILED.value,
        ConditionType.KILLED.value,
        ConditionType.EARLY_STOPPED.value,
        ConditionType.METRICS_UNAVAILABLE.value,
    }
)
_COUNTING = frozenset({ConditionType.SUCCEEDED.value, ConditionType.EARLY_STOPPED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What an experiment asks for."""

    space: Space
    objective: Objective
    search: Search
    seed: int | None
    """The setting `random_state`."""
    seeded: bool
    """Whether the search draws at random: it then needs a seed."""

    def suggest(
        self, trials: Sequence[Trial], asked: int, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Choose `count` points, or as many as the space still has, after `asked` earlier ones."""
        history = history_of(trials, self.objective, asked)
        return self.search.suggest(self.space, history, count, seed)


def task_of(spec: ExperimentSpec) -> Task:
    """Read an experiment.

    Raises:
        SpecError: all that is wrong with its parameters, its objective and its algorithm.
        SetupError: the algorithm's package is not as it should be.
    """
    faults: list[Fault] = list(_objective_faults(spec.objective))
    if spec.nas_config is not None:
        why = "architectures are not searched here; write spec.parameters in its place"
        raise SpecError((*faults, forbidden("spec.nasConfig", why)))
    try:
        space = space_of(spec.parameters)
    except SpecError as error:
        raise SpecError((*faults, *error.faults, *_algorithm_faults(spec))) from None
    try:
        algorithm, values = _algorithm(spec)
    except SpecError as error:
        raise SpecError((*faults, *error.faults)) from None
    faults.extend(algorithm.judge(space, spec, values))
    if faults or spec.objective is None:
        raise SpecError(tuple(faults))
    own = {key: value for key, value in values.items() if key != RANDOM_STATE}
    return Task(
        space=space,
        objective=spec.objective,
        search=algorithm.make(**own),
        seed=values.get(RANDOM_STATE),
        seeded=algorithm.seeded,
    )


def _algorithm(spec: ExperimentSpec) -> tuple[Algorithm, Values]:
    """Find the algorithm, and read its settings."""
    if spec.algorithm is None:
        why = f"must be specified; write one of {', '.join(names())} as its algorithmName"
        raise SpecError((required("spec.algorithm", why),))
    algorithm = find(spec.algorithm.name)
    return algorithm, algorithm.read(spec.algorithm.name, spec.algorithm.settings)


def _algorithm_faults(spec: ExperimentSpec) -> tuple[Fault, ...]:
    try:
        _algorithm(spec)
    except SpecError as error:
        return error.faults
    return ()


def _objective_faults(objective: Objective | None) -> tuple[Fault, ...]:
    if objective is None:
        return (required("spec.objective", "must be specified"),)
    faults: list[Fault] = []
    if objective.type is ObjectiveType.UNKNOWN:
        faults.append(required("spec.objective.type", "must be minimize or maximize"))
    if not objective.metric:
        faults.append(required("spec.objective.objectiveMetricName", "must be specified"))
    return tuple(faults)


def history_of(trials: Sequence[Trial], objective: Objective, asked: int) -> History:
    """Put the trials into the order in which they were asked for, those not told of at the end.

    `asked` is how many there were in all. Katib leaves some out (those whose metrics are
    unavailable, those not yet created); their numbers are taken all the same. It also sends them
    in any order, so they are sorted by start and name; equal ones stay as they were sent.
    """
    known = tuple(_past(trial, objective) for trial in sorted(trials, key=_order))
    return known + (Past(running=True),) * (asked - len(known))


def _order(trial: Trial) -> tuple[bool, str, list[tuple[int, str]]]:
    start = trial.status.start_time or ""
    words = re.findall(r"([0-9]{1,18})|([^0-9]+)", trial.metadata.name)
    # As numbers, so that experiment-9 comes before experiment-10.
    name = [(int(digits), "") if digits else (-1, word) for digits, word in words]
    return not start, start, name


def _past(trial: Trial, objective: Objective) -> Past:
    conditions = {condition.type for condition in trial.status.conditions}
    loss = _loss(trial, objective) if conditions & _COUNTING else None
    return Past(
        assignments=trial.spec.assignments,
        loss=loss,
        running=loss is None and not conditions & _ENDED,
        seconds=_seconds(trial),
    )


def _loss(trial: Trial, objective: Objective) -> float | None:
    """Return the objective, negated where more is better; None where it is not a finite number."""
    value = objective_value(trial.status.observation, objective)
    if value is None:
        return None
    return -value if objective.type is ObjectiveType.MAXIMIZE else value


def _seconds(trial: Trial) -> float | None:
    status = trial.status
    if not status.start_time or not status.completion_time:
        return None
    try:
        start, end = map(datetime.fromisoformat, (status.start_time, status.completion_time))
        return max((end - start).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
