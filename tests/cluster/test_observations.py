"""What a trial's status says of its metrics: while it runs, at its end, and why there are none."""

from __future__ import annotations

import secrets

import pytest
import yaml

from tests.cluster.client import Cluster, Object, until
from tests.cluster.deployments import DB_MANAGER, scale
from tests.cluster.experiments import Experiment, X, begun, searched, true_conditions
from tests.cluster.trials import counted

ONE = ["0.5"]
COUNTING = ("count", "3", "100", "print", f"x={X}")


def test_a_running_trial_shows_its_latest_values(cluster: Cluster, namespace: str) -> None:
    document = searched("live", ONE, "count", "80", "500", "print", f"x={X}")
    experiment = begun(cluster, namespace, document)
    printed = [value for _, value in counted(80)]

    def shown() -> str | None:
        """Return the latest value, as a user sees it of a trial that runs."""
        where = (f"--namespace={namespace}", "--output=yaml")
        found = yaml.safe_load(cluster.kubectl("get", "trials", *where))["items"]
        if not found or not found[0].get("status", {}).get("observation"):
            return None
        assert "Succeeded" not in true_conditions(found[0]), "it had ended before it was seen"
        assert "Running" in true_conditions(found[0])
        [metric] = found[0]["status"]["observation"]["metrics"]
        return str(metric["latest"])

    first = until("a first value", shown, pause=1)
    then = until("a later one", lambda: found if (found := shown()) != first else None, pause=1)

    assert printed.index(first) < printed.index(str(then))
    assert "currentOptimalTrial" not in experiment.document()["status"]
    experiment.end()
    assert latest(only(experiment)) == printed[-1]


def test_in_a_namespace_without_the_label_trials_are_collected_all_the_same(
    cluster: Cluster,
) -> None:
    """The controller labels their pods, and the webhook is asked about such in any namespace."""
    with cluster.namespace(f"unlabelled-{secrets.token_hex(3)}") as namespace:
        experiment = begun(cluster, namespace, searched("unlabelled", ONE, *COUNTING))

        experiment.end()

        assert latest(only(experiment)) == counted(3)[-1][1]


def test_a_trial_without_a_collector_says_so(cluster: Cluster) -> None:
    """The webhook is never asked about the pods of kube-system."""
    name = f"uncollected-{secrets.token_hex(3)}"
    experiment = begun(cluster, "kube-system", searched(name, ONE, *COUNTING))
    try:
        experiment.end()

        said = why_unavailable(only(experiment))
        assert "its pod has no metrics collector" in said
        assert "`trialwatch explain POD` says why" in said
    finally:
        cluster.delete("experiments", "kube-system", name)


def test_where_nothing_matched_the_nearest_lines_are_shown(
    cluster: Cluster, namespace: str
) -> None:
    collector = {"source": {"filter": {"metricsFormat": [r"(\w+) is ([0-9.]+)"]}}}
    words = ("print", "beginning", "print", f"loss={X}")
    document = searched("unmatched", ONE, *words, metricsCollectorSpec=collector)
    experiment = begun(cluster, namespace, document)

    experiment.end()

    said = why_unavailable(only(experiment))
    assert 'no line of the training contained "loss"' in said
    assert "the nearest lines" in said
    assert "loss=0.5" in said


@pytest.mark.alone
def test_while_the_store_is_away_the_last_words_of_the_collector_count(
    cluster: Cluster, namespace: str
) -> None:
    scale(cluster, DB_MANAGER, 0)
    try:
        document = searched("away", ONE, *COUNTING)
        job = document["spec"]["trialTemplate"]["trialSpec"]
        hurry = {"trialwatch.dev/drain-seconds": "5"}
        job["spec"]["template"]["metadata"] = {"annotations": hurry}
        experiment = begun(cluster, namespace, document)

        assert true_conditions(experiment.end()) == {"Created", "Succeeded"}
    finally:
        scale(cluster, DB_MANAGER, 1)

    trial = only(experiment)
    assert "Succeeded" in true_conditions(trial)
    assert latest(trial) == counted(3)[-1][1]
    best = experiment.document()["status"]["currentOptimalTrial"]
    assert best["bestTrialName"] == trial["metadata"]["name"]
    assert experiment.rows([best["bestTrialName"]]) == {best["bestTrialName"]: []}


def only(experiment: Experiment) -> Object:
    [trial] = experiment.trials()
    return trial


def latest(trial: Object) -> str:
    [metric] = trial["status"]["observation"]["metrics"]
    return str(metric["latest"])


def why_unavailable(trial: Object) -> str:
    [condition] = (
        one for one in trial["status"]["conditions"] if one["type"] == "MetricsUnavailable"
    )
    return str(condition["message"])
