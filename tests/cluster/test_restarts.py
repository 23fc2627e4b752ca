"""All programs and the API server are killed, again and again, while five experiments run.

They run at the same time, in namespaces of their own and by one name. Each seed draws its own kill of
each program, and the search of its own experiment; so every experiment goes through the kills of all
seeds.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import pytest

from api.names import NUMBER_LABEL
from api.objects.experiments import parse_experiment
from suggestion.core.search_task import search_task_of
from tests.cluster.client import Cluster, Object, until
from tests.cluster.experiments import Experiment, X, begun, searched, true_conditions, value_of
from tests.cluster.observations import Rows
from tests.cluster.random_kills import Kills, answered, drawn
from tests.cluster.trials import counted

pytestmark = [
    pytest.mark.alone,
    pytest.mark.leaves_behind("descriptor", reason="the client of all tests connects anew"),
]

SEEDS = (1, 2, 3, 4, 5)
BUDGET, PARALLEL = 30, 6
KILLING_SECONDS = 150.0
PATIENCE_SECONDS = 800.0
NAME = "restarts"
_ENDS = {"Succeeded", "Failed", "Killed", "MetricsUnavailable"}


def experiment(seed: int) -> Object:
    """Return an experiment whose best trial is the one with the smallest `x`."""
    random = {
        "algorithmName": "random",
        "algorithmSettings": [{"name": "random_state", "value": str(seed)}],
    }
    x = {"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}
    return searched(
        *(NAME, [], "count", "3", "300", "print", f"score={X}"),
        objective={
            "type": "minimize",
            "objectiveMetricName": "score",
            "additionalMetricNames": ["loss"],
        },
        algorithm=random,
        parameters=[x],
        parallelTrialCount=PARALLEL,
        maxTrialCount=BUDGET,
        maxFailedTrialCount=0,
    )


def suggested(seed: int) -> list[str]:
    """Return the search's answer for each number, without kills."""
    task = search_task_of(parse_experiment(experiment(seed)).spec)
    return [point[0].value for point in task.suggest((), 0, BUDGET, seed)]


class Run(NamedTuple):
    """One seed's experiment."""

    seed: int
    experiment: Experiment
    most_active: Counter[str]


@pytest.fixture
def runs(cluster: Cluster) -> Iterator[list[Run]]:
    """Give an experiment for each seed, in a namespace of its own."""
    labels = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
    with ExitStack() as stack:
        made = []
        for seed in SEEDS:
            namespace = stack.enter_context(cluster.namespace(f"restarts-{seed}", labels))
            made.append(Run(seed, begun(cluster, namespace, experiment(seed)), Counter()))
        yield made


def test_killed_again_and_again_all_keep_their_budgets_and_find_their_optimum(
    cluster: Cluster, runs: list[Run]
) -> None:
    kills = [kill for seed in SEEDS for kill in drawn(seed, KILLING_SECONDS)]
    print(f"seeds {SEEDS}:", *sorted(kills), sep="\n")  # noqa: T201 - beside a failure
    place = runs[0].experiment.namespace
    killing = Kills(cluster, kills)
    killing.start(place)

    started = time.monotonic()
    while not all(answered(partial(ended, run)) for run in runs):
        if time.monotonic() - started > PATIENCE_SECONDS:
            pytest.fail(f"not all have ended: {[state(run) for run in runs]}")
        answered(killing.delete_what_is_due)
        for run in runs:
            answered(partial(look, run))
        time.sleep(0.5)
    print(f"all have ended after {time.monotonic() - started:.0f} s")  # noqa: T201
    said = killing.done(place)
    print(*said, sep="\n")  # noqa: T201
    assert len(said) == sum(kill.how != "pod" for kill in kills)

    for run in runs:
        assert_it_went_as_if_nothing_had_happened(run)


def look(run: Run) -> None:
    """Count the trials that are active now."""
    active = [one for one in run.experiment.trials() if not _ENDS & true_conditions(one)]
    run.most_active["trials"] = max(run.most_active["trials"], len(active))


def ended(run: Run) -> bool:
    return bool({"Succeeded", "Failed"} & true_conditions(run.experiment.document()))


def state(run: Run) -> str:
    return f"{run.seed}: {run.experiment.document().get('status')}"


def assert_it_went_as_if_nothing_had_happened(run: Run) -> None:
    found = run.experiment
    status = found.document()["status"]
    trials = {one["metadata"]["name"]: one for one in found.trials()}
    values = {name: value_of(one) for name, one in trials.items()}
    numbers = {name: int(one["metadata"]["labels"][NUMBER_LABEL]) for name, one in trials.items()}

    # The budget, and each of its trials once, as the search says.
    assert status["trials"] == status["trialsSucceeded"] == BUDGET
    assert run.most_active["trials"] == PARALLEL
    by_number = sorted((numbers[name], value) for name, value in values.items())
    assert [value for _, value in by_number] == suggested(run.seed)
    assert len({*numbers.values()}) == BUDGET

    # What they printed is in the store, once; and the best of it is the optimum.
    assert found.rows([*trials]) == {name: printed(value) for name, value in values.items()}
    best = min(values, key=lambda name: float(values[name]))
    assert status["currentOptimalTrial"]["bestTrialName"] == best
    metrics = status["currentOptimalTrial"]["observation"]["metrics"]
    assert {one["name"]: one["min"] for one in metrics}["score"] == values[best]

    # Nothing is left over.
    left = lambda: not {"jobs", "pods"} & found.left().keys()  # noqa: E731
    until("jobs and pods to go", left, tell=lambda: str(found.left()))
    jobs = found.cluster.listed("jobs", found.namespace)
    assert jobs == []


def printed(value: str) -> Rows:
    """Return what a trainer prints."""
    return [*counted(3), ("score", value)]
