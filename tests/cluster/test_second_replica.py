"""One of two replicas of a program is killed while trials run, and the experiment goes on."""

from __future__ import annotations

from functools import partial

import pytest

from tests.cluster.client import Cluster, Object, until
from tests.cluster.deployments import CONTROLLER, SUGGESTION, WEBHOOK
from tests.cluster.experiments import Experiment, X, begun, searched
from tests.cluster.installation import NAMESPACE
from tests.cluster.process_killer import killing
from tests.cluster.trials import counted

pytestmark = pytest.mark.alone

TRIALS = [str(number) for number in range(12)]
STEPS = 8
_LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{CONTROLLER}"


def test_leader_webhook_and_search_killed_under_load_make_each_trial_once_and_lose_no_metric(
    cluster: Cluster, namespace: str
) -> None:
    document = searched(
        *("replicas", TRIALS, "count", str(STEPS), "500", "print", f"x={X}"),
        parallelTrialCount=4,
        maxFailedTrialCount=0,
    )
    experiment = begun(cluster, namespace, document)

    for program in (CONTROLLER, WEBHOOK, SUGGESTION):
        experiment.when("trials that run", running)
        before = leader(cluster)
        kill_one(cluster, namespace, program)
        if program == CONTROLLER:
            until("another leader", partial(another_leads, cluster, before))

    status = experiment.end()["status"]
    assert (status["trials"], status["trialsSucceeded"]) == (len(TRIALS), len(TRIALS))
    assert_each_trial_was_made_once(experiment)


def another_leads(cluster: Cluster, before: str) -> bool:
    return leader(cluster) not in {"", before}


def kill_one(cluster: Cluster, namespace: str, program: str) -> None:
    """Kill the first process of one replica, that of the leader if there is one."""
    pods = cluster.listed("pods", NAMESPACE, f"app.kubernetes.io/name={program}")
    assert len(pods) == 2
    holder = leader(cluster).partition("_")[0]
    pods.sort(key=lambda pod: pod["metadata"]["name"] != holder)
    word = f"python -m {program.removeprefix('trialwatch-')}"
    with killing(cluster, namespace, pods[0], word, times=1, pause=0.1):
        pass


def assert_each_trial_was_made_once(experiment: Experiment) -> None:
    trials = experiment.trials()
    names = [trial["metadata"]["name"] for trial in trials]
    values = [trial["spec"]["parameterAssignments"][0]["value"] for trial in trials]
    assert sorted(values) == sorted(TRIALS)
    assert experiment.rows(names) == dict.fromkeys(names, counted(STEPS))


def running(experiment: Object) -> bool:
    return bool(experiment.get("status", {}).get("trialsRunning"))


def leader(cluster: Cluster) -> str:
    """Return who holds the Lease: the name of its pod, `_` and a number of its own."""
    return str(cluster.request("GET", _LEASE)["spec"].get("holderIdentity") or "")
