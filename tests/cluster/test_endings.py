"""How a trainer ends: by its own fault, by the kernel's, or because it is told to."""

from __future__ import annotations

from tests.cluster.client import until
from tests.cluster.trials import Trials, counted, exit_code, job, over, running, status_of

SIGTERM, SIGKILL = 15, 9


def test_a_trainer_that_takes_all_memory_is_killed_and_its_metrics_stay(trials: Trials) -> None:
    limits = {"resources": {"limits": {"memory": "64Mi"}}}

    name = trials.start(job("memory", "count", "3", "1", "eat", container=limits))

    assert trials.end(name) == "Failed"
    assert exit_code(trials.pod(name)) == 128 + SIGKILL
    assert trials.rows(name) == counted(3)


def test_a_pod_deleted_while_it_trains_keeps_what_was_printed(trials: Trials) -> None:
    name = trials.start(job("deleted", "count", "600", "100"))
    pod = trials.pod_when(name, "start", running)
    until("some metrics", lambda: len(trials.log(pod).splitlines()) > 10)
    printed = len(trials.log(pod).splitlines())

    trials.cluster.delete("jobs", trials.namespace, name, propagationPolicy="Foreground")

    until("the pod's end", lambda: not trials.cluster.get("jobs", trials.namespace, name))
    rows = trials.rows(name)
    assert len(rows) >= printed
    assert rows == counted(600)[: len(rows)]


def test_only_the_attempt_that_succeeds_counts(trials: Trials) -> None:
    words = ("print", "loss=3", "first", "/data/a", "3", "print", "loss=2", "first", "/data/b", "3")
    volume = {"volumes": [{"name": "data", "emptyDir": {}}], "restartPolicy": "OnFailure"}
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    retries = {"backoffLimit": 6}

    name = trials.start(
        job("retried", *words, "print", "loss=1", container=mount, pod=volume, spec=retries)
    )

    assert trials.end(name) == "Complete"
    assert status_of(trials.pod(name))["restartCount"] == 2
    assert trials.rows(name) == [("loss", "3"), ("loss", "2"), ("loss", "1")]


def test_a_job_past_its_deadline_keeps_what_was_printed(trials: Trials) -> None:
    words = ("count", "5", "1", "sleep", "600000")

    name = trials.start(job("deadline", *words, spec={"activeDeadlineSeconds": 15}))

    assert trials.end(name) == "Failed"
    assert trials.rows_when(name, 5) == counted(5)


def test_a_pod_past_its_own_deadline_ends_its_trainer_by_the_signal(trials: Trials) -> None:
    words = ("count", "5", "1", "sleep", "600000")

    name = trials.start(job("pods-deadline", *words, pod={"activeDeadlineSeconds": 15}))

    pod = trials.pod_when(name, "end", over)
    assert exit_code(pod) == 128 + SIGTERM
    # Past the deadline nothing holds the container; the sidecar has the grace period.
    assert trials.rows_when(name, 5) == counted(5)


def test_a_trainer_deaf_to_the_signal_is_killed_and_its_metrics_stay(trials: Trials) -> None:
    words = ("stubborn", "count", "5", "1", "sleep", "600000")
    pod = {"activeDeadlineSeconds": 15, "terminationGracePeriodSeconds": 12}

    name = trials.start(job("deaf", *words, pod=pod))

    ended = trials.pod_when(name, "end", over)
    assert exit_code(ended) == 128 + SIGKILL
    assert trials.rows_when(name, 5) == counted(5)
