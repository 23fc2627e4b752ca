"""Compare the trials of an experiment: which value is better, and the best value so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.types import Objective, ObjectiveType
from ui.model.experiment_summary import TrialRow, TrialState

COUNTED = (TrialState.SUCCEEDED, TrialState.STOPPED)
"""Only trials in these states can be the best."""


def is_better(value: float, than: float, objective: Objective) -> bool:
    """Return whether a value of the objective is better than another."""
    return value < than if objective.type is ObjectiveType.MINIMIZE else value > than


def best_first(rows: Sequence[TrialRow], objective: Objective) -> list[TrialRow]:
    """Return the trials that count and have a value, the best first."""
    counted = [row for row in rows if row.state in COUNTED and row.value is not None]
    sign = 1 if objective.type is ObjectiveType.MINIMIZE else -1
    return sorted(counted, key=lambda row: sign * (row.value or 0.0))


def best_so_far(rows: Sequence[TrialRow], objective: Objective) -> Iterator[float | None]:
    """Yield the best value after each trial, in the order of suggestion; None before the first."""
    best: float | None = None
    for row in rows:
        counts = row.state in COUNTED and row.value is not None
        if (
            counts
            and row.value is not None
            and (best is None or is_better(row.value, best, objective))
        ):
            best = row.value
        yield best
