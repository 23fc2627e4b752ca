"""The DB manager is away for a minute, around the end of trainers."""

from __future__ import annotations

import time

import pytest

from tests.cluster.client import Object, until
from tests.cluster.deployments import DB_MANAGER, scale
from tests.cluster.trials import Trials, counted, exit_code, job, running

pytestmark = pytest.mark.alone

AWAY_SECONDS = 60


def test_no_point_is_lost_and_none_is_there_twice(trials: Trials) -> None:
    cluster = trials.cluster
    slow = trials.start(job("slow", "count", "60", "500"))
    trials.pod_when(slow, "start", running)
    trials.rows_when(slow, 3)

    scale(cluster, DB_MANAGER, 0)
    try:
        gone = time.monotonic()
        quick = trials.start(job("quick", "count", "20", "1"))
        failing = trials.start(job("failing", "count", "20", "1", "exit", "3"))
        hurried = trials.start(
            job("hurried", "count", "20", "1", pod={"activeDeadlineSeconds": 30})
        )
        # Its hold ends ten seconds before its deadline, so that its own status is kept.
        assert exit_code(trials.pod_when(hurried, "end", ended)) == 0
        assert running(trials.pod(quick))
        until("a minute to pass", lambda: time.monotonic() - gone > AWAY_SECONDS)
    finally:
        scale(cluster, DB_MANAGER, 1)

    assert [trials.end(name) for name in (slow, quick, failing)] == ["Complete"] * 2 + ["Failed"]
    assert trials.rows(slow) == counted(60)
    assert trials.rows(quick) == trials.rows(failing) == counted(20)
    assert exit_code(trials.pod(failing)) == 3


def ended(pod: Object) -> bool:
    return exit_code(pod) is not None
