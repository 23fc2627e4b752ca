"""Rules that the controller judges while trials run: it ends the whole job, and says why."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.client import Cluster, Object, until
from tests.cluster.experiments import Experiment, X, begun, searched, true_conditions, value_of

GOOD, BAD = "10", "600000"
"""What a trainer prints as its loss, twice, and then the milliseconds that it goes on for."""
PODS = {"asha": 1, "pair": 2}
"""By experiment: how many pods its jobs have."""


def stopping(name: str) -> Object:
    """Return an experiment of a good trial, and then a bad one that takes ten minutes."""
    printing = ("print", f"loss={X}", "sleep", "500") * 2
    document = searched(
        *(name, [GOOD, BAD], *printing, "sleep", X, "print", "the end"),
        parallelTrialCount=1,
        earlyStopping={
            "algorithmName": "asha",
            "algorithmSettings": [
                {"name": "reduction_factor", "value": "2"},
                {"name": "resource", "value": "points"},
            ],
        },
    )
    job = document["spec"]["trialTemplate"]["trialSpec"]["spec"]
    job |= {"completions": PODS[name], "parallelism": PODS[name]}
    return document


@pytest.fixture
def experiments(cluster: Cluster) -> Iterator[dict[str, Experiment]]:
    labels = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
    with cluster.namespace(f"judged-{secrets.token_hex(3)}", labels) as namespace:
        yield {name: begun(cluster, namespace, stopping(name)) for name in PODS}


def test_the_controller_ends_all_pods_of_a_bad_trial_and_says_why(
    experiments: dict[str, Experiment],
) -> None:
    for experiment in experiments.values():
        ended = experiment.end()["status"]
        trials = {value_of(one): one for one in experiment.trials()}
        bad = trials[BAD]

        assert (ended["trialsSucceeded"], ended["trialsEarlyStopped"]) == (1, 1)
        assert ended["currentOptimalTrial"]["bestTrialName"] == trials[GOOD]["metadata"]["name"]
        assert true_conditions(bad) == {"Created", "Running", "EarlyStopped"}
        condition = bad["status"]["conditions"][-1]
        assert condition["reason"] == "TrialStoppedByRule"
        assert condition["message"].startswith(
            "Trial is early stopped: asha: 1 of 2 trials had a better loss until "
        )
        [loss] = observed(experiment)
        assert (loss["min"], loss["max"], loss["latest"]) == (BAD, BAD, BAD)
        assert not bad["spec"].get("earlyStoppingRules")
        assert_no_job_stays(experiment)


def observed(experiment: Experiment) -> list[Object]:
    """Return the metrics of the bad trial; they are read when its pods have gone."""

    def metrics() -> list[Object]:
        bad = next(one for one in experiment.trials() if value_of(one) == BAD)
        found: list[Object] = bad["status"].get("observation", {}).get("metrics", [])
        return found

    until("its observation", lambda: bool(metrics()))
    return metrics()


def assert_no_job_stays(experiment: Experiment) -> None:
    gone = lambda: not {"jobs", "pods"} & experiment.left().keys()  # noqa: E731
    until("its jobs to go", gone, tell=lambda: str(experiment.left()))
