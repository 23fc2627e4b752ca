"""The collector crashes while the trainer runs: no point is lost, none is stored twice."""

from __future__ import annotations

from api.names import COLLECTOR_CONTAINER
from tests.cluster.process_killer import SUPERVISOR, WORKER, killing
from tests.cluster.trials import Trials, counted, job, running, status_of


def test_a_worker_killed_again_and_again_loses_nothing(trials: Trials) -> None:
    name = trials.start(job("worker", "count", "150", "100"))
    pod = trials.pod_when(name, "start", running)

    with killing(trials.cluster, trials.namespace, pod, WORKER, times=8, pause=1.2):
        assert trials.end(name) == "Complete"

    assert status_of(trials.pod(name), COLLECTOR_CONTAINER)["restartCount"] == 0
    assert trials.rows(name) == counted(150)


def test_a_collector_whose_container_dies_is_started_again_and_loses_nothing(
    trials: Trials,
) -> None:
    name = trials.start(job("container", "count", "200", "100"))
    pod = trials.pod_when(name, "start", running)

    with killing(trials.cluster, trials.namespace, pod, SUPERVISOR, times=1, pause=0.1):
        assert trials.end(name) == "Complete"

    assert status_of(trials.pod(name), COLLECTOR_CONTAINER)["restartCount"] == 1
    assert trials.rows(name) == counted(200)


def test_a_collector_killed_in_the_hold_still_delivers(trials: Trials) -> None:
    """The trainer has ended; its container waits, so the worker is started again.

    It trains for ten seconds. The supervisor's pauses grow from 50 ms to ten seconds, so the eighth
    kill comes after them, and forty would take longer than the launcher waits.
    """
    name = trials.start(job("hold", "count", "100", "100"))
    pod = trials.pod(name)

    with killing(trials.cluster, trials.namespace, pod, WORKER, times=9, pause=0.4):
        assert trials.end(name) == "Complete"

    assert trials.rows(name) == counted(100)
