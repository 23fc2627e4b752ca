"""The cost of a long history: one reconcile of such an experiment, and the controller's start."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from api.names import NUMBER_LABEL
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment, render_experiment
from api.objects.suggestions import render_suggestion
from api.objects.trials import render_trial
from api.types import (
    Assignment,
    ConditionType,
    Experiment,
    JsonObject,
    Observation,
    ObservedMetric,
    SuggestedTrial,
    Trial,
)
from controller.reconcile.counting import with_counts
from controller.reconcile.creation import trial_of
from controller.reconcile.experiment_states import MAX_TRIALS, mark_completed, mark_created
from controller.reconcile.experiments import reconcile_experiment
from controller.reconcile.suggestions import suggestion_of
from controller.reconcile.trial_facts import TrialFactsCache, facts_of_trials
from controller.reconcile.trial_transitions import end_trial, mark_running
from controller.reconcile.trial_transitions import mark_created as begun
from controller.reconcile.views import ExperimentView, Policy
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from tests.controller.controller_process import ControllerProcess, controller_process

_NOW = datetime(2026, 1, 2, tzinfo=UTC)
_TIMES = 30
_PAUSE = 0.5
_LONGEST_SECONDS = 600.0
_TURNS = 'trialwatch_controller_turn_seconds_count{kind="trial"}'


def print_turns(console: Console, document: JsonObject, counts: Sequence[int]) -> None:
    """Print the time of one reconcile by the number of ended trials."""
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for heading in ("trials", "first turn", "one trial has changed", "its status as JSON"):
        table.add_column(heading, justify="right", no_wrap=True)
    for count in counts:
        times = (f"{taken * 1e3:.2f} ms" for taken in turn_seconds(document, count))
        table.add_row(f"{count:,}", *times)
    console.print("[bold]one reconcile of an experiment[/bold], without I/O; CPU, medians")
    console.print(table)


def _cpu_seconds(act: Callable[[], object]) -> float:
    """Return the CPU seconds of one call, independent of other processes."""
    start = time.process_time()
    act()
    return time.process_time() - start


def turn_seconds(document: JsonObject, count: int) -> tuple[float, float, float]:
    """Measure the first reconcile, one after a change of one trial, and rendering the status."""
    item, policy, known = mark_created(experiment_of(document), _NOW), Policy(), TrialFactsCache()
    trials = ended_trials(item, count)
    view = ExperimentView(experiment=item, suggestion=suggestion_of(item), trials=tuple(trials))
    first = _cpu_seconds(lambda: reconcile_experiment(view, _NOW, policy, known))
    again = []
    for number in range(_TIMES):
        place = number * 7 % count
        trials[place] = replace(trials[place])
        changed = replace(view, trials=tuple(trials))
        again.append(_cpu_seconds(lambda: reconcile_experiment(changed, _NOW, policy, known)))  # noqa: B023 - called at once
    counted = replace(item, status=with_counts(item.status, facts_of_trials(trials), None))
    rendering = [
        _cpu_seconds(lambda: json.dumps(render_experiment(counted))) for _ in range(_TIMES)
    ]
    return first, statistics.median(again), statistics.median(rendering)


async def print_start(console: Console, document: JsonObject, experiments: int, each: int) -> None:
    """Print the cost of a controller's start with many ended experiments."""
    memory = MemoryCluster(namespaces=("bench", "kubeflow"))
    for number in range(experiments):
        await _fill(memory, experiment_of(document, f"e{number:04}"), each)
    memory.forget()
    with tempfile.TemporaryDirectory(prefix="trialwatch-bench-") as name:
        folder = Path(name)
        async with served(memory) as api:
            kubeconfig = api.write_kubeconfig(folder / "kubeconfig")
            mark_running = controller_process(
                kubeconfig, folder / "controller", "--leader-elect=false"
            )
            started = time.perf_counter()
            async with mark_running as controller, asyncio.timeout(_LONGEST_SECONDS):
                await controller.ready()
                await _at_rest(controller, experiments * each)
                took = time.perf_counter() - started
                process = psutil.Process(controller.process.pid)
                resident = process.memory_info().rss / (1 << 20)
                spent = sum(process.cpu_times()[:2])
    console.print(
        f"[bold]a controller that begins[/bold] with {experiments * each:,} trials of"
        f" {experiments:,} experiments: all have had a turn after {took:.1f} s ({spent:.1f} s of"
        f" CPU); memory {resident:.0f} MiB\n"
    )


async def _at_rest(controller: ControllerProcess, trials: int) -> None:
    """Wait until each trial has been reconciled."""
    while await controller.metric(_TURNS) < trials:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(_PAUSE)


async def _fill(memory: MemoryCluster, item: Experiment, trials: int) -> None:
    made = await memory.create(render_experiment(item))
    item = with_defaults(parse_experiment(made, unknown_fields=False))
    ended_ones = ended_trials(item, trials)
    for trial in ended_ones:
        await _store(memory, render_trial(trial))
    status = with_counts(mark_created(item, _NOW).status, facts_of_trials(ended_ones), None)
    done = replace(item, status=mark_completed(status, MAX_TRIALS, _NOW))
    await memory.replace(render_experiment(done), status=True)
    await memory.create(render_suggestion(suggestion_of(item)))


async def _store(memory: MemoryCluster, document: JsonObject) -> None:
    """Create the object as an API server does: without its status, which is written separately."""
    made = await memory.create(document)
    await memory.replace({**document, "metadata": made["metadata"]}, status=True)


def experiment_of(document: JsonObject, name: str = "") -> Experiment:
    """Return the experiment with another name."""
    item = with_defaults(parse_experiment(document))
    meta = item.metadata
    return replace(item, metadata=replace(meta, name=name or meta.name))


def ended_trials(item: Experiment, count: int) -> list[Trial]:
    """Return trials that have succeeded."""
    return [_succeeded(trial_of(item, _suggested(item, n), None), n) for n in range(count)]


def _suggested(item: Experiment, number: int) -> SuggestedTrial:
    return SuggestedTrial(
        name=f"{item.metadata.name}-{number:08}",
        assignments=(
            Assignment(name="lr", value=f"0.{number}"),
            Assignment(name="momentum", value=f"0.{number}1"),
        ),
        labels={NUMBER_LABEL: str(number)},
    )


def _succeeded(trial: Trial, number: int) -> Trial:
    text = f"0.{number * 7919 % 1_000_003}"
    metric = ObservedMetric(name="loss", min=text, max=text, latest=text)
    observation = Observation(metrics=(metric,))
    at_work = mark_running(begun(trial, _NOW), _NOW)
    return end_trial(at_work, ConditionType.SUCCEEDED, _NOW, observation=observation)
