"""Trials that wait for quota in a queue of Kueue, and lose it again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.client import Cluster, Object, until
from tests.cluster.experiments import Experiment, begun, value_of
from tests.cluster.operators.examples import COUNTS, FAILS, METRIC, VALUE, WORKS, example

QUEUE = "team-a"
QUEUES = "kueue.x-k8s.io/v1beta1"
COUNTED = {WORKS: "Succeeded", FAILS: "Failed"}


@pytest.fixture
def queue(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Give the namespace a queue in which one trial has room."""
    name = f"queue-{secrets.token_hex(3)}"
    apply = ("apply", "--server-side", "--filename=-")
    objects = [
        {"kind": "ResourceFlavor", "metadata": {"name": name}},
        {"kind": "ClusterQueue", "metadata": {"name": name}, "spec": _quota(name)},
        {
            "kind": "LocalQueue",
            "metadata": {"name": QUEUE, "namespace": namespace},
            "spec": {"clusterQueue": name},
        },
    ]
    cluster.kubectl(*apply, objects=[{"apiVersion": QUEUES, **one} for one in objects])
    yield namespace
    cluster.kubectl("delete", "--wait=false", f"clusterqueue/{name}", f"resourceflavor/{name}")


def _quota(flavor: str) -> Object:
    cpu = {"name": "cpu", "nominalQuota": "10m"}
    group = {"coveredResources": ["cpu"], "flavors": [{"name": flavor, "resources": [cpu]}]}
    return {"namespaceSelector": {}, "resourceGroups": [group]}


def running(trial: Object) -> Object:
    conditions = trial.get("status", {}).get("conditions", [])
    found: Object = next((one for one in conditions if one["type"] == "Running"), {})
    return found


def waiting(experiment: Experiment) -> list[Object]:
    found = [running(trial) for trial in experiment.trials()]
    return [one for one in found if one.get("reason") == "TrialQuotaAwaited"]


def test_the_trial_without_quota_waits_says_so_and_runs_when_the_other_has_ended(
    cluster: Cluster, queue: str
) -> None:
    experiment = begun(cluster, queue, example("kueue", "sleep", "5000"))

    condition = until("one that waits while the other runs", lambda: one_waits(experiment))
    experiment.end()

    trials = {value_of(trial): trial for trial in experiment.trials()}
    assert condition["status"] == "False"
    assert condition["message"] == (
        f"Trial's job is suspended: it waits for quota in Kueue's queue {QUEUE}"
    )
    ends = {value: trial["status"]["conditions"][-1]["type"] for value, trial in trials.items()}
    assert ends == COUNTED
    names = [trial["metadata"]["name"] for trial in trials.values()]
    assert experiment.rows(names) == {name: [(METRIC, VALUE)] for name in names}


@pytest.mark.parametrize("kind", ["pytorchjob", "jobset", "trainjob"])
def test_jobs_of_other_kinds_wait_in_a_queue_on_hold_and_run_when_it_is_released(
    cluster: Cluster, queue: str, kind: str
) -> None:
    document = example(kind)
    job = document["spec"]["trialTemplate"]["trialSpec"]
    job["metadata"] = {"labels": {"kueue.x-k8s.io/queue-name": QUEUE}}
    _set_policy(cluster, queue, "Hold")
    experiment = begun(cluster, queue, document)

    until("both to wait", lambda: len(waiting(experiment)) == len(COUNTED))
    pods = cluster.listed("pods", queue)
    _set_policy(cluster, queue, "None")
    experiment.end()

    ends = {value_of(one): one["status"]["conditions"][-1]["type"] for one in experiment.trials()}
    assert pods == []
    assert ends == COUNTED


def _set_policy(cluster: Cluster, namespace: str, policy: str) -> None:
    patch = f'{{"spec": {{"stopPolicy": "{policy}"}}}}'
    where = (f"localqueue/{QUEUE}", f"--namespace={namespace}", "--type=merge")
    cluster.kubectl("patch", *where, "--patch", patch)


def one_waits(experiment: Experiment) -> Object | None:
    reasons = {running(trial).get("reason") for trial in experiment.trials()}
    both = {"TrialQuotaAwaited", "TrialRunning"}
    return waiting(experiment)[0] if reasons == both else None


def test_a_trial_whose_quota_is_taken_away_waits_again_and_succeeds_at_last(
    cluster: Cluster, queue: str
) -> None:
    document = example("kueue", "sleep", "8000")
    (parameter,) = document["spec"]["parameters"]
    parameter["feasibleSpace"]["list"] = [WORKS]
    document["spec"] |= dict.fromkeys(COUNTS, 1)
    experiment = begun(cluster, queue, document)
    until("a training", lambda: _in_phase(cluster, queue, "Running"))
    workload = cluster.kubectl("get", "workloads", f"--namespace={queue}", "--output=name").strip()
    patch = ("patch", workload, f"--namespace={queue}", "--type=merge", "--patch")

    cluster.kubectl(*patch, '{"spec": {"active": false}}')
    until("the trial to wait", lambda: waiting(experiment))
    cluster.kubectl(*patch, '{"spec": {"active": true}}')
    experiment.end()

    (trial,) = experiment.trials()
    assert trial["status"]["conditions"][-1]["type"] == "Succeeded"
    name = trial["metadata"]["name"]
    assert experiment.rows([name]) == {name: [(METRIC, VALUE)]}


def _in_phase(cluster: Cluster, namespace: str, phase: str) -> bool:
    pods = cluster.listed("pods", namespace)
    return any(pod["status"]["phase"] == phase for pod in pods)
