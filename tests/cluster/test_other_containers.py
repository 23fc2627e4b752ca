"""Other containers in the pod of a trial: they end at any time, and nothing waits for them."""

from __future__ import annotations

from api.names import COLLECTOR_CONTAINER
from tests.cluster.trainers import SCRATCH
from tests.cluster.trials import TRAINER, Trials, counted, job, running, status_of

FOREVER = ["/trainer", "sleep", "3600000"]
SOON = {"terminationGracePeriodSeconds": 12}


def test_metrics_are_complete_while_an_ordinary_container_runs_for_ever(trials: Trials) -> None:
    trainer = {"name": TRAINER, "image": SCRATCH, "command": ["/trainer", "count", "5", "1"]}
    agent = {"name": "agent", "image": SCRATCH, "command": FOREVER}

    name = trials.start(job("agent", pod={**SOON, "containers": [trainer, agent]}))

    assert trials.rows_when(name, 5) == counted(5)
    pod = trials.pod_when(name, "the trainer's end", lambda pod: not running(pod))
    assert running(pod, "agent")


def test_another_native_sidecar_ends_after_ours_and_the_job_completes(trials: Trials) -> None:
    proxy = {"name": "proxy", "image": SCRATCH, "command": FOREVER, "restartPolicy": "Always"}

    name = trials.start(job("proxy", "count", "5", "1", pod={**SOON, "initContainers": [proxy]}))

    assert trials.end(name) == "Complete"
    pod = trials.pod(name)
    assert [one["name"] for one in pod["spec"]["initContainers"]] == ["proxy", COLLECTOR_CONTAINER]
    ours, others = (
        status_of(pod, container)["state"]["terminated"]
        for container in (COLLECTOR_CONTAINER, "proxy")
    )
    assert ours["exitCode"] == 0
    assert ours["finishedAt"] <= others["finishedAt"]
    assert trials.rows(name) == counted(5)
