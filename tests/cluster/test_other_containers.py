"""Other containers in the pod of a trial: they end at any time, and nothing waits for them."""

from __future__ import annotations

from api.names import COLLECTOR_CONTAINER
from tests.cluster.client import Cluster, Object
from tests.cluster.experiments import X, begun, searched, true_conditions
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


def test_a_trial_succeeds_though_an_ordinary_container_of_its_pod_runs_for_ever(
    cluster: Cluster, namespace: str
) -> None:
    agent = {"name": "agent", "image": SCRATCH, "command": FOREVER}
    document = searched("agent", ["0.25"], "print", f"loss={X}")
    pod = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["containers"].append(agent)
    pod["terminationGracePeriodSeconds"] = 5

    experiment = begun(cluster, namespace, document)

    experiment.when(
        "the condition", lambda _: [t for t in experiment.trials() if condition_of(t) == MEANWHILE]
    )
    assert "Succeeded" in true_conditions(experiment.end())
    [trial] = experiment.trials()
    assert "its pod still runs agent" in trial["status"]["conditions"][-1]["message"]
    name = trial["metadata"]["name"]
    assert experiment.rows([name]) == {name: [("loss", "0.25")]}


MEANWHILE = "TrialContainersRunning"


def condition_of(trial: Object) -> str:
    """Return the reason of the newest condition."""
    conditions = trial.get("status", {}).get("conditions") or [{}]
    return str(conditions[-1].get("reason"))


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
