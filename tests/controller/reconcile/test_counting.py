"""When the best trial reaches the goal of its experiment."""

from __future__ import annotations

import pytest

from api.types import Objective, ObjectiveType, Trial
from controller.reconcile.counting import BestTrial, is_goal_reached

MINIMIZE, MAXIMIZE = ObjectiveType.MINIMIZE, ObjectiveType.MAXIMIZE


@pytest.mark.parametrize(
    ("kind", "value", "reached"),
    [
        (MAXIMIZE, 0.89, False),
        (MAXIMIZE, 0.9, True),
        (MAXIMIZE, 0.91, True),
        (MINIMIZE, 0.91, False),
        (MINIMIZE, 0.9, True),
        (MINIMIZE, 0.89, True),
    ],
)
def test_a_goal_is_reached_by_its_own_value_and_by_better_ones(
    kind: ObjectiveType, value: float, *, reached: bool
) -> None:
    objective = Objective(type=kind, metric="m", goal=0.9)

    assert is_goal_reached(BestTrial(trial=Trial(), value=value), objective) == reached


def test_without_a_goal_or_a_trial_none_is_reached() -> None:
    best = BestTrial(trial=Trial(), value=1.0)

    assert not is_goal_reached(best, Objective(type=MAXIMIZE, metric="m"))
    assert not is_goal_reached(None, Objective(type=MAXIMIZE, metric="m", goal=0.9))
