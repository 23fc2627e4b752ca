"""Two namespaces in which all has the same names at the same time: nothing mixes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.algorithms import naming_search
from tests.cluster.client import Cluster, Object
from tests.cluster.experiments import Experiment, X, begun, searched, true_conditions
from tests.cluster.observations import Rows

NAMES = ["twin-0", "twin-1"]
# A trial lasts a tenth of a second for each unit of its loss.
OURS = ["1", "600"]
THEIRS = ["30", "20"]
"""Worse than our first one, and than the mean of both first ones; better than their own."""


@pytest.fixture
def other(cluster: Cluster, namespace: str) -> Iterator[str]:
    labels = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
    with cluster.namespace(f"{namespace[:-7]}-other{namespace[-7:]}", labels) as name:
        yield name


def twin(algorithm: str, values: list[str]) -> Object:
    """Return an experiment of two trials in turn, the second stopped if it begins worse."""
    settings = [
        {"name": "min_trials_required", "value": "1"},
        {"name": "start_step", "value": "1"},
    ]
    stopping = {"algorithmName": "medianstop", "algorithmSettings": settings}
    document = searched(
        *("twin", values, "print", f"loss={X}", "sleep", f"{X}00"),
        algorithm={"algorithmName": algorithm},
        earlyStopping=stopping,
        parallelTrialCount=1,
    )
    document["spec"]["trialTemplate"]["retain"] = True
    return document


def ways_of_ending(experiment: Experiment) -> dict[str, str]:
    """Return how each trial ended, by its name."""
    endings = {"Succeeded", "EarlyStopped", "Failed", "MetricsUnavailable", "Killed"}
    return {
        trial["metadata"]["name"]: "".join(endings & true_conditions(trial))
        for trial in experiment.trials()
    }


def best_of(experiment: Experiment) -> tuple[str, str]:
    best = experiment.document()["status"]["currentOptimalTrial"]
    (metric,) = best["observation"]["metrics"]
    return best["bestTrialName"], metric["min"]


def jobs_of(experiment: Experiment) -> dict[str, str]:
    """Return the uid of each job, by its name."""
    jobs = experiment.cluster.listed("jobs", experiment.namespace)
    return {job["metadata"]["name"]: job["metadata"]["uid"] for job in jobs}


def printed(values: list[str]) -> dict[str, Rows]:
    return {name: [("loss", value)] for name, value in zip(NAMES, values, strict=True)}


def test_experiments_and_trials_of_equal_names_keep_what_is_theirs(
    cluster: Cluster, namespace: str, other: str
) -> None:
    with naming_search(cluster, namespace) as algorithm:
        ours = begun(cluster, namespace, twin(algorithm, OURS))
        theirs = begun(cluster, other, twin(algorithm, THEIRS))
        ours.end()
        theirs.end()

        assert ours.rows(NAMES) == printed(OURS)
        assert theirs.rows(NAMES) == printed(THEIRS)
        assert ways_of_ending(ours) == {"twin-0": "Succeeded", "twin-1": "EarlyStopped"}
        assert ways_of_ending(theirs) == {"twin-0": "Succeeded", "twin-1": "Succeeded"}
        assert best_of(ours) == ("twin-0", "1")
        assert best_of(theirs) == ("twin-1", "20")

        kept = jobs_of(theirs)
        ours.delete()
        assert ours.rows(NAMES) == {name: [] for name in NAMES}
        assert theirs.rows(NAMES) == printed(THEIRS)
        assert sorted(kept) == NAMES
        assert jobs_of(theirs) == kept
        assert best_of(theirs) == ("twin-1", "20")
        theirs.delete()
        assert theirs.rows(NAMES) == {name: [] for name in NAMES}
