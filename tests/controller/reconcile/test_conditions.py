"""Conditions are set by Katib's rule, so that the last one is the one that changed last."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.types import ConditionStatus, ConditionType
from controller.reconcile.conditions import Conditions, no_longer_running, with_condition
from tests.controller.experiment_harness import START

LATER = START + timedelta(seconds=5)
TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE


def running_then_created() -> Conditions:
    first = with_condition((), ConditionType.RUNNING, ("R", "m"), START)
    return with_condition(first, ConditionType.CREATED, ("C", "m"), START)


@pytest.mark.parametrize(
    ("status", "reason", "changed", "since"),
    [
        (TRUE, "R", False, "2026-01-02T03:04:05Z"),
        (TRUE, "other", True, "2026-01-02T03:04:05Z"),
        (FALSE, "R", True, "2026-01-02T03:04:10Z"),
        (FALSE, "other", True, "2026-01-02T03:04:10Z"),
    ],
)
def test_a_condition_changes_by_status_or_reason_and_then_comes_last(
    status: ConditionStatus,
    reason: str,
    changed: bool,  # noqa: FBT001
    since: str,
) -> None:
    before = running_then_created()
    words = (reason, "another message")
    after = with_condition(before, ConditionType.RUNNING, words, LATER, status=status)

    assert (after is not before) is changed
    assert after[-1 if changed else 0].type == "Running"
    assert after[-1 if changed else 0].last_transition_time == since
    assert len(after) == 2


def test_what_never_ran_does_not_stop_running() -> None:
    assert no_longer_running((), ("R", "m"), LATER) == ()
