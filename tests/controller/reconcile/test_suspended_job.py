"""A trial whose job is suspended, by a user or by a queue: it waits, and does not fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from api.types import JsonObject
from controller.reconcile.trial_states import TrialState, state_of
from controller.reconcile.views import PodFacts
from tests.controller.experiment_harness import JOB
from tests.controller.reconcile.test_trials import (
    DONE,
    POLICY,
    QUOTA,
    at_work,
    due,
    events,
    kinds,
    living,
    words,
    written,
)

SUSPENDED: JsonObject = {**JOB, "spec": {"suspend": True}}
QUEUED: JsonObject = {
    **SUSPENDED,
    "metadata": {"labels": {"kueue.x-k8s.io/queue-name": "team-a"}},
}


def test_a_job_that_waits_in_a_queue_names_the_queue_and_is_pending() -> None:
    actions = due(living(), QUEUED)

    text = "Trial's job is suspended: it waits for quota in Kueue's queue team-a"
    after = written(actions)
    assert words(after) == ("Running", "TrialQuotaAwaited", text)
    assert state_of(after) is TrialState.PENDING
    assert events(actions) == [("Normal", "TrialQuotaAwaited", text)]


@pytest.mark.parametrize(
    "spec",
    [
        {"suspend": True},
        {"runPolicy": {"suspend": True}, "pytorchReplicaSpecs": {}},
        {"status": "PipelineRunPending"},
    ],
)
def test_a_job_that_is_suspended_without_a_queue_says_that_it_is_suspended(
    spec: JsonObject,
) -> None:
    after = written(due(living(), {**JOB, "spec": spec}))

    assert words(after) == ("Running", "TrialSuspended", "Trial's job is suspended")


@pytest.mark.parametrize("spec", [{"suspend": False}, {"suspend": "yes"}, {"status": "Cancelled"}])
def test_a_job_that_is_not_suspended_runs(spec: JsonObject) -> None:
    assert words(written(due(living(), {**JOB, "spec": spec})))[1] == "TrialRunning"


def test_a_job_may_wait_in_its_queue_without_limit() -> None:
    policy = replace(POLICY, start_deadline=timedelta(minutes=5), room_deadline=timedelta(0))
    waiting = written(due(living(), QUEUED, policy=policy))

    assert due(waiting, QUEUED, seconds=10**6, policy=policy) == ()


def test_an_earlier_refusal_or_a_pod_that_goes_does_not_fail_a_job_that_is_suspended_again() -> (
    None
):
    for pods in (PodFacts(refused=QUOTA), PodFacts(stuck="Unschedulable: no room")):
        actions = due(at_work(), QUEUED, pods=pods, seconds=10**6)

        assert words(written(actions))[1] == "TrialQuotaAwaited"


def test_a_job_that_gets_its_quota_runs_and_ends_as_any_other() -> None:
    waiting = written(due(living(), QUEUED))
    resumed = {**QUEUED, "spec": {"suspend": False}}

    running = written(due(waiting, resumed, seconds=7200))

    assert words(running) == ("Running", "TrialRunning", "Trial is running")
    assert kinds(due(running, DONE, seconds=7300)) == "ReadObservation"
