"""The history of a search: every suggested trial, in the order of suggestion.

The history is the only state. A suggestion depends on the trials in it, on their number, and on the
experiment's seed; never on earlier calls of this process, so any replica can answer.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from api.metric_values import objective_value
from api.names import NUMBER_LABEL
from api.types import ConditionType, Objective, ObjectiveType, Trial
from suggestion.core.search_space import Point

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
class PastTrial:
    """One suggested trial.

    Without assignments, only its place in the order is known: it was not sent. If it is `running`,
    it may still come; else it was deleted, or has ended without metrics.
    """

    assignments: Point = ()
    loss: float | None = None
    """The objective, negated if it is maximized: less is better. None: unknown or not finite."""
    running: bool = False
    """Whether the trial has not ended."""
    seconds: float | None = None
    """The duration; None if unknown."""
    name: str = field(default="", compare=False)
    """Of the trial; "" if unknown."""
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Which the search gave it, and others."""


History = tuple[PastTrial, ...]


def one_by_one(
    choose: Callable[[History], Point], history: History, count: int
) -> tuple[Point, ...]:
    """Call `choose` `count` times; each call sees the points before as running trials."""
    points: list[Point] = []
    for _ in range(count):
        point = choose(history)
        points.append(point)
        history = (*history, PastTrial(assignments=point, running=True))
    return tuple(points)


def seed_at(seed: int, index: int, purpose: str = "") -> int:
    """Return the 32-bit seed of one trial: equal for equal arguments, on every machine."""
    digest = hashlib.blake2b(f"{seed} {index} {purpose}".encode(), digest_size=4)
    return int.from_bytes(digest.digest(), "big")


def history_of(trials: Sequence[Trial], objective: Objective, earlier: int) -> History:
    """Return the trials in the order of suggestion, and `earlier` trials in all.

    Katib does not send trials without metrics and trials that are not created yet, but they have
    numbers too. trialwatch's controller labels each trial with its number. Then a number that is
    missing before the last one belongs to a trial that has ended or was deleted, and each later
    one to a trial that is still created.

    Katib's controller sends trials without numbers in any order, so they are sorted by start and
    name; trials with equal keys stay in the order of the request. The missing ones count as
    running, at the end.
    """
    by_number = {_number(trial): trial for trial in trials}
    known = tuple(_past(trial, objective) for trial in sorted(trials, key=_order))
    if known and len(by_number) == len(known) and max(by_number) < earlier:
        last = int(max(by_number))
        numbered = dict(zip(sorted(by_number), known, strict=True))
        known = tuple(numbered.get(number, PastTrial()) for number in range(last + 1))
    return known + (PastTrial(running=True),) * (earlier - len(known))


def _number(trial: Trial) -> float:
    """Return the number that the controller gave to a trial; infinity if there is none."""
    number = trial.spec.labels.get(NUMBER_LABEL, "")
    return int(number) if re.fullmatch(r"[0-9]{1,9}", number) else math.inf


def _order(trial: Trial) -> tuple[float, bool, str, list[tuple[int, str]]]:
    place = _number(trial)
    start = trial.status.start_time or ""
    words = re.findall(r"([0-9]{1,18})|([^0-9]+)", trial.metadata.name)
    # Digits as numbers: experiment-9 comes before experiment-10.
    name = [(int(digits), "") if digits else (-1, word) for digits, word in words]
    return place, not start, start, name


def _past(trial: Trial, objective: Objective) -> PastTrial:
    conditions = {condition.type for condition in trial.status.conditions}
    loss = _loss(trial, objective) if conditions & _COUNTING else None
    return PastTrial(
        assignments=trial.spec.assignments,
        loss=loss,
        running=loss is None and not _has_ended(conditions, trial),
        seconds=_seconds(trial),
        name=trial.metadata.name,
        labels=trial.spec.labels,
    )


def _has_ended(conditions: AbstractSet[str], trial: Trial) -> bool:
    """Return whether a trial has ended; one that is being stopped early still runs."""
    stopping = ConditionType.EARLY_STOPPED in conditions and trial.status.completion_time is None
    ends = _ENDED - {ConditionType.EARLY_STOPPED} if stopping else _ENDED
    return bool(conditions & ends)


def _loss(trial: Trial, objective: Objective) -> float | None:
    """Return the objective, negated if it is maximized; None if it is not a finite number."""
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
