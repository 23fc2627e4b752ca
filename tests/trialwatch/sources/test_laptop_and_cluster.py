"""The same history, here and on a cluster: the same questions, the same optimum, the same table."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.objects.experiments import parse_experiment, render_experiment
from api.objects.trials import parse_trial
from api.objects.validation_update import completed
from api.types import (
    AlgorithmSpec,
    Experiment,
    MetricStrategy,
    Objective,
    ObjectiveType,
    Setting,
    Strategy,
)
from controller.driver.driver import Driver
from controller.reconcile.trial_order import in_order
from controller.reconcile.trial_states import TrialState as Running
from controller.reconcile.views import key_of
from dbmanager.store.contract import NewRow, TrialKey
from dbmanager.store.memory import MemoryStore
from kube.testing.apiserver import served
from runner.database import StoredObservations
from runner.search import LocalSuggestions
from runner.state.directory import state_of
from runner.state.objects import FileObjects
from suggestion.algorithms.random_search import RandomSearch
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History
from tests.controller.cluster_ports import complete
from tests.controller.experiment_harness import ExperimentHarness, experiment
from tests.controller.fake_services import POLICY, T, fake_services
from trialwatch.sources.cluster_source import source as cluster_source
from trialwatch.sources.local_source import LocalSource
from trialwatch.sources.source import Source
from ui.model.experiment_summary import ExperimentSummary, TrialState, summary_of

PRINTED = (("9", "0.1", "5.0"), ("2", "0.4", "1"), ("0.3", "0.2", "nan"), ("4", "3", "0.5"))
"""What each trial prints of each metric, in the order in which they run."""
VALUES: dict[Strategy, list[float | None]] = {
    Strategy.MIN: [0.1, 0.4, 0.2, 0.5],
    Strategy.MAX: [9.0, 2.0, 0.3, 4.0],
    Strategy.LATEST: [5.0, 1.0, None, 0.5],
}
MINIMIZE, MAXIMIZE = ObjectiveType.MINIMIZE, ObjectiveType.MAXIMIZE
METRICS = ("loss", "other")


@dataclass(frozen=True)
class Outcome:
    """What came of an experiment."""

    questions: Sequence[History]
    summary: ExperimentSummary


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[History]:
    """Record each question to the search, without the time that trials took."""
    questions: list[History] = []
    suggest: Callable[..., tuple[Point, ...]] = RandomSearch.suggest

    def recorded(
        self: RandomSearch, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        questions.append(tuple(replace(past, seconds=None) for past in history))
        return suggest(self, space, history, count, seed)

    monkeypatch.setattr(RandomSearch, "suggest", recorded)
    return questions


@pytest.mark.parametrize(
    ("kind", "named", "strategy", "best"),
    [
        (MINIMIZE, None, Strategy.MIN, 0.1),
        (MAXIMIZE, None, Strategy.MAX, 9.0),
        (MINIMIZE, Strategy.LATEST, Strategy.LATEST, 0.5),
        (MINIMIZE, Strategy.MAX, Strategy.MAX, 0.3),
    ],
)
async def test_one_history_means_the_same_here_and_on_a_cluster(
    asked: list[History],
    tmp_path: Path,
    *,
    kind: ObjectiveType,
    named: Strategy | None,
    strategy: Strategy,
    best: float,
) -> None:
    here = await on_a_laptop(searched(kind, named), asked, tmp_path)
    there = await on_a_cluster(searched(kind, named), asked, tmp_path)
    values = VALUES[strategy]
    losses = [one if one is None or kind is MINIMIZE else -one for one in values]

    assert here.questions == there.questions
    assert [past.loss for past in here.questions[-1]] == losses[:-1]
    assert here.summary == there.summary
    assert [row.value for row in here.summary.rows if row.state is TrialState.SUCCEEDED] == [
        value for value in values if value is not None
    ]
    assert here.summary.best is not None
    assert here.summary.best.value == best


def searched(kind: ObjectiveType, named: Strategy | None) -> Experiment:
    """Return one to which no webhook has added strategies."""
    own = () if named is None else (MetricStrategy(name="loss", strategy=named),)
    objective = Objective(type=kind, metric="loss", additional=METRICS[1:], strategies=own)
    seeded = AlgorithmSpec(name="random", settings=(Setting(name="random_state", value="7"),))
    item = experiment(parallel_trial_count=1, max_trial_count=len(PRINTED), algorithm=seeded)
    return replace(item, spec=replace(item.spec, objective=objective))


async def on_a_laptop(item: Experiment, asked: list[History], folder: Path) -> Outcome:
    """Run it as `trialwatch run` does, with jobs that are over at once."""
    asked.clear()
    state = state_of(folder, "ns", "exp")
    state.make()
    harness, store, printed = ExperimentHarness(policy=POLICY), MemoryStore(), iter(PRINTED)
    await store.open()
    harness.memory.objects = FileObjects(state, lambda: harness.now, lambda _item: None)
    observations = StoredObservations(store)
    with ThreadPoolExecutor(1) as worker:
        suggestions = LocalSuggestions(worker, observations, state.checkpoints)
        ports = replace(harness.memory.ports(), observations=observations, suggestions=suggestions)
        harness.driver = Driver(ports, random.Random(0), POLICY)
        harness.memory.objects.apply(item)
        while not completed(harness.experiment):
            await harness.settle(2)
            for trial in harness.in_state(Running.RUNNING):
                job = harness.memory.jobs.facts[key_of(trial)].document
                if job is not None and "status" not in job:
                    key = TrialKey(namespace="ns", trial=trial.metadata.name)
                    rows = [NewRow(0, name, text) for text in next(printed) for name in METRICS]
                    await store.report(key, rows)
                    harness.end(trial, "Complete", "R", "m")
    return Outcome(tuple(asked), shown_from(LocalSource(folder)))


async def on_a_cluster(item: Experiment, asked: list[History], folder: Path) -> Outcome:
    """Run it by the controller, over HTTP and gRPC, with jobs that are over at once."""
    asked.clear()
    printed = iter(PRINTED)
    async with fake_services() as stage:
        await stage.memory.create(render_experiment(item))

        async def over() -> bool:
            for name in await stage.jobs():
                points = [(T, metric, text) for text in next(printed) for metric in METRICS]
                await stage.store.report(name, *points, metadata=(("trialwatch-namespace", "ns"),))
                await complete(stage.memory, name)
            return completed(await stage.experiment())

        async with stage.controller():
            await stage.until(over)
        async with served(stage.memory) as server:
            kubeconfig = server.write_kubeconfig(folder / "kubeconfig", namespace="ns")
            source = cluster_source(kubeconfig, "", "ns", everywhere=False)
            summary = await asyncio.to_thread(shown_from, source)
    return Outcome(tuple(asked), summary)


def shown_from(source: Source) -> ExperimentSummary:
    """Return what is shown of the one experiment, without times."""
    (document,) = source.objects("experiments")
    trials = (parse_trial(one, unknown_fields=False) for one in source.trials_of(document))
    item = parse_experiment(document, unknown_fields=False)
    summary = summary_of(item, in_order(tuple(trials)), {}, datetime.now(UTC))
    rows = tuple(replace(row, seconds=None) for row in summary.rows)
    best = summary.best and replace(summary.best, seconds=None)
    return replace(summary, rows=rows, best=best, seconds=None)
