"""The examples, the very files that run on a laptop: applied, watched, their answer checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster, Object
from tests.cluster.experiments import Seen, applied, true_conditions
from tests.cluster.observations import Rows

OBJECTIVE, ADDITIONAL = "Validation-accuracy", "Train-accuracy"
GOAL = 0.99
EXAMPLES = ("random", "bayesianoptimization", "file-collector", "event-files")
PRINTED = re.compile(
    rf"\b({OBJECTIVE}|{ADDITIONAL})=([0-9.]+)"
    rf"|metricName: ({OBJECTIVE}|{ADDITIONAL}), metricValue: ([0-9.]+)"
)


def file_of(name: str) -> Path:
    return ROOT / "examples" / f"{name}.yaml"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_finds_its_answer_and_leaves_nothing_when_it_is_deleted(
    cluster: Cluster, name: str
) -> None:
    with applied(cluster, file_of(name)) as experiment:
        events = name == "event-files"  # the sidecar has no text to print
        trial, log = experiment.first_training(*(["training-container"] if events else []))
        ended = experiment.end()
        trials = {one["metadata"]["name"]: one for one in experiment.trials()}
        stored = experiment.rows([*trials])

        assert true_conditions(ended) == {"Created", "Succeeded"}
        assert printed(log, event_files=events) == sorted(stored[trial])
        assert {one: observed(of) for one, of in trials.items()} == {
            one: folded(rows) for one, rows in stored.items()
        }
        assert best_of(ended) == best_in(stored)
        assert_budget_is_spent(ended, stored)
        assert_kubectl_shows_it(experiment.seen(), experiment.name, trials)

        experiment.delete()
        assert experiment.rows([*trials]) == {one: [] for one in trials}


def printed(log: str, *, event_files: bool = False) -> Rows:
    """Return the metrics in a training's log, in order of name and value.

    An event file has numbers: 0.5 where the log has 0.5000.
    """
    found = (match.groups() for match in PRINTED.finditer(log))
    rows = ((a or c, b or d) for a, b, c, d in found)
    return sorted((name, str(float(text))) if event_files else (name, text) for name, text in rows)


def folded(rows: Rows) -> dict[str, dict[str, float]]:
    """Fold a trial's rows by ourselves."""
    values: dict[str, list[float]] = {}
    for name, value in rows:
        values.setdefault(name, []).append(float(value))
    return {
        name: {"min": min(seen), "max": max(seen), "latest": seen[-1]}
        for name, seen in values.items()
    }


def observed(trial: Object) -> dict[str, dict[str, float]]:
    metrics = trial["status"]["observation"]["metrics"]
    return {
        one["name"]: {key: float(one[key]) for key in ("min", "max", "latest")} for one in metrics
    }


def best_in(stored: dict[str, Rows]) -> float:
    """Return the best value that any trial ever printed: the objective's strategy is `max`."""
    return max(folded(rows)[OBJECTIVE]["max"] for rows in stored.values())


def best_of(ended: Object) -> float:
    """Return the value of what the experiment says is its best trial."""
    metrics = ended["status"]["currentOptimalTrial"]["observation"]["metrics"]
    (objective,) = (one for one in metrics if one["name"] == OBJECTIVE)
    return float(objective["max"])


def assert_budget_is_spent(ended: Object, stored: dict[str, Rows]) -> None:
    """All trials were made, unless the goal was reached before; the best one is among them."""
    status = ended["status"]
    best = status["currentOptimalTrial"]
    assert folded(stored[best["bestTrialName"]])[OBJECTIVE]["max"] == best_in(stored)
    assert {one["name"] for one in best["parameterAssignments"]} == {
        "lr",
        "num-layers",
        "optimizer",
    }
    if best_in(stored) < GOAL:
        assert len(stored) == status["trialsSucceeded"] == ended["spec"]["maxTrialCount"]


def assert_kubectl_shows_it(seen: dict[str, Seen], name: str, trials: Iterable[str]) -> None:
    """The columns are Katib's."""
    asked = str(len([*trials]))
    assert seen["experiment"].columns == ["NAME", "TYPE", "STATUS", "AGE"]
    assert seen["experiment"].rows[name][:2] == ["Succeeded", "True"]
    assert seen["suggestion"].columns == ["NAME", "TYPE", "STATUS", "REQUESTED", "ASSIGNED", "AGE"]
    assert seen["suggestion"].rows[name][:4] == ["Succeeded", "True", asked, asked]
    assert seen["trial"].columns == ["NAME", "TYPE", "STATUS", "AGE"]
    for trial in trials:
        assert seen["trial"].rows[trial][:2] == ["Succeeded", "True"]
