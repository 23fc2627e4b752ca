"""Experiments in namespaces with quotas, default limits and Pod Security's strictest level."""

from __future__ import annotations

import json

from tests.cluster.client import Cluster, until
from tests.cluster.experiments import X, begun, searched
from tests.cluster.trials import counted

VALUES = ["1", "2", "3", "4"]
WORDS = ("count", "10", "200", "print", f"x={X}")


def quota(cluster: Cluster, namespace: str, **hard: str) -> None:
    limits = {name.replace("_", "."): value for name, value in hard.items()}
    body = {"metadata": {"name": "team"}, "spec": {"hard": limits}}
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", body)


def test_where_a_quota_counts_limits_and_a_limit_range_gives_them_all_trials_succeed(
    cluster: Cluster, namespace: str
) -> None:
    quota(
        cluster,
        namespace,
        requests_cpu="2",
        requests_memory="2Gi",
        limits_cpu="8",
        limits_memory="4Gi",
    )
    defaults = {
        "type": "Container",
        "default": {"cpu": "500m", "memory": "256Mi"},
        "defaultRequest": {"cpu": "20m", "memory": "32Mi"},
    }
    body = {"metadata": {"name": "defaults"}, "spec": {"limits": [defaults]}}
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/limitranges", body)
    experiment = begun(
        cluster, namespace, searched("limited", VALUES, *WORDS, maxFailedTrialCount=0)
    )

    assert experiment.end()["status"]["trialsSucceeded"] == len(VALUES)
    names = [one["metadata"]["name"] for one in experiment.trials()]
    assert experiment.rows(names) == dict.fromkeys(names, counted(10))


def test_trials_wait_for_a_quota_with_its_message_and_all_succeed(
    cluster: Cluster, namespace: str
) -> None:
    quota(cluster, namespace, pods="2")
    words = ("count", "10", "1500", "print", f"x={X}")
    experiment = begun(cluster, namespace, searched("quota", VALUES, *words, maxFailedTrialCount=0))

    waiting = lambda: "exceeded quota: team" in json.dumps(experiment.trials())  # noqa: E731
    until("a trial that waits for the quota", waiting)
    assert experiment.end()["status"]["trialsSucceeded"] == len(VALUES)
    names = [one["metadata"]["name"] for one in experiment.trials()]
    assert experiment.rows(names) == dict.fromkeys(names, counted(10))
