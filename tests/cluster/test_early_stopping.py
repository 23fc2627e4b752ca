"""`medianstop` from end to end, in two namespaces at the same time, by the same names."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.cluster.client import Cluster, Object, until
from tests.cluster.experiments import Experiment, X, begun, searched, true_conditions, value_of
from tests.cluster.observations import Rows

GOOD, BAD = ("10", "20", "12"), "600000"
"""What a trainer prints as its loss, four times, and then the milliseconds that it goes on for."""


def stopping() -> Object:
    """Return an experiment that tries the values in their order; the bad one takes ten minutes."""
    printing = ("print", f"loss={X}", "sleep", "50") * 4
    settings = {"min_trials_required": "2", "start_step": "2"}
    return searched(
        *("stopping", [*GOOD[:2], BAD, GOOD[2]], *printing, "sleep", X, "print", "the end"),
        parallelTrialCount=1,
        earlyStopping={
            "algorithmName": "medianstop",
            "algorithmSettings": [{"name": n, "value": v} for n, v in settings.items()],
        },
    )


@pytest.fixture
def experiments(cluster: Cluster) -> Iterator[list[Experiment]]:
    labels = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
    word = secrets.token_hex(3)
    with ExitStack() as stack:
        namespaces = [
            stack.enter_context(cluster.namespace(f"stopping-{one}-{word}", labels))
            for one in ("a", "b")
        ]
        yield [begun(cluster, namespace, stopping()) for namespace in namespaces]


def test_a_bad_trial_is_stopped_counted_once_and_keeps_what_it_measured(
    experiments: list[Experiment],
) -> None:
    for experiment in experiments:
        ended = experiment.end()["status"]
        trials = {value_of(one): one for one in experiment.trials()}
        names = {value: one["metadata"]["name"] for value, one in trials.items()}
        rows = experiment.rows([*names.values()])

        assert ended["trials"] == 4
        assert {*ended["succeededTrialList"]} == {names[good] for good in GOOD}
        assert ended["earlyStoppedTrialList"] == [names[BAD]]
        assert (ended["trialsSucceeded"], ended["trialsEarlyStopped"]) == (3, 1)
        assert ended["currentOptimalTrial"]["bestTrialName"] == names[GOOD[0]]
        for good in GOOD:
            assert rows[names[good]] == [("loss", good)] * 4
        assert_it_was_stopped(trials[BAD], rows[names[BAD]])
        assert {value for value in trials if rules_of(trials[value])} == {BAD, GOOD[2]}
        assert_no_job_stays(experiment)


def assert_it_was_stopped(trial: Object, rows: Rows) -> None:
    """By its rule, before its end; and what it measured is kept."""
    rule = {"name": "loss", "value": "15.0", "comparison": "greater", "startStep": 2}
    assert rules_of(trial) == [rule]
    assert true_conditions(trial) == {"Created", "Running", "EarlyStopped"}
    [loss] = trial["status"]["observation"]["metrics"]
    assert (loss["min"], loss["max"], loss["latest"]) == (BAD, BAD, BAD)
    assert 2 <= len(rows) <= 4


def assert_no_job_stays(experiment: Experiment) -> None:
    gone = lambda: not {"jobs", "pods"} & experiment.left().keys()  # noqa: E731
    until("its jobs to go", gone, tell=lambda: str(experiment.left()))


def rules_of(trial: Object) -> list[Object]:
    rules: list[Object] = trial["spec"].get("earlyStoppingRules", [])
    return rules
