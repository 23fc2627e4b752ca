"""Trials of each kind of jobs, run by the kind's own operator: the examples, with a short training."""

from __future__ import annotations

import secrets

import pytest

from tests.cluster.client import Cluster, Object, until
from tests.cluster.experiments import begun, true_conditions, value_of
from tests.cluster.operators.examples import FAILS, METRIC, VALUE, WORKS, example

KINDS = ("pytorchjob", "tfjob", "xgboostjob", "mpijob", "jobset", "trainjob", "workflow")


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_run_its_end_is_read_and_the_metrics_of_one_pod_are_stored(
    cluster: Cluster, name: str
) -> None:
    # Without Katib's label: the pods reach the webhook by the label of their trial alone.
    with cluster.namespace(f"{name}-{secrets.token_hex(3)}") as namespace:
        if name == "workflow":
            let_the_executor_report(cluster, namespace)
        experiment = begun(cluster, namespace, example(name))
        ended = experiment.end()

        trials = {value_of(trial): trial for trial in experiment.trials()}
        names = {value: trial["metadata"]["name"] for value, trial in trials.items()}
        stored = experiment.rows([*names.values()])
        assert {value: last(trial) for value, trial in trials.items()} == {
            WORKS: "Succeeded",
            FAILS: "Failed",
        }
        assert stored == {name: [(METRIC, VALUE)] for name in names.values()}
        assert true_conditions(ended) == {"Created", "Succeeded"}
        best = ended["status"]["currentOptimalTrial"]["bestTrialName"]
        assert best == names[WORKS]
        until("the pods to go", lambda: not cluster.listed("pods", namespace))


def let_the_executor_report(cluster: Cluster, namespace: str) -> None:
    """Give the pods' account the right that Argo demands of it."""
    where = f"--namespace={namespace}"
    what = ("--verb=create,patch", "--resource=workflowtaskresults.argoproj.io")
    cluster.kubectl("create", "role", "executor", where, *what)
    whom = ("--role=executor", f"--serviceaccount={namespace}:default")
    cluster.kubectl("create", "rolebinding", "executor", where, *whom)


def last(trial: Object) -> str:
    return str(trial["status"]["conditions"][-1]["type"])
