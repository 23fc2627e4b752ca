"""The controller before a real API server without nodes: the cost of a trial, early and late.

etcd, kube-apiserver, the controller, the DB manager and the search are processes of their own; the
bench plays job controller, kubelet and trainer. All of them share the machine. A run is
EXPERIMENTSxTRIALS; `TRIALWATCH_BENCH_RUNS` names others than the default, such as
`TRIALWATCH_BENCH_RUNS='1000x20 1x5000' make bench ARGS=controller`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from api.types import JsonObject
from bench.controller_cluster import (
    EXPERIMENT,
    NAMESPACE,
    SUGGESTION,
    USER,
    ElectionRuntime,
    surroundings,
)
from bench.controller_figures import (
    Sample,
    Shape,
    Stretch,
    by_label,
    requests_of,
    shape_of,
    stretches,
    turns_in,
    windows_of,
)
from bench.controller_history import print_start, print_turns
from kube.cluster import Ref, Scope
from tests.cluster.binaries import MissingProgramError, programs

VARIABLE = "TRIALWATCH_BENCH_RUNS"
DEFAULT = "50x20 1x1000"
_KINDS = ("experiment", "trial")
_PARALLEL = {True: 20, False: 5}
"""Parallel trials of a single experiment, and of each of many experiments."""
_HISTORY = (1_000, 20)
"""Experiments that ended before the controller's start, and the trials of each."""
_LONGEST_SECONDS = 3_600.0
_console = Console(width=110)


def run(_arguments: argparse.Namespace) -> None:
    """Print a table for each run; also after SIGTERM, no process stays."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        shapes = [shape_of(text) for text in os.environ.get(VARIABLE, DEFAULT).split()]
    except ValueError as error:
        sys.exit(f"{VARIABLE}: {error}")
    plain = experiment("e0000", Shape(1, 100_000))
    print_turns(_console, plain, (100, 1_000, 5_000, 20_000))
    asyncio.run(print_start(_console, plain, *_HISTORY))
    try:
        programs()
    except MissingProgramError as error:
        _console.print(f"no run with an API server: {error}")
        return
    for shape in shapes:
        asyncio.run(_measure(shape))


@dataclass(slots=True, kw_only=True)
class _Watched:
    """A run and its samples."""

    around: ElectionRuntime
    total: int
    samples: list[Sample] = field(default_factory=list)

    async def follow(self) -> None:
        """Take a sample at the ends of each window, until all trials have ended."""
        marks = [0, *sorted({mark for window in windows_of(self.total) for mark in window})]
        for mark in [*marks, self.total]:
            while self.around.jobs.completed < mark:  # noqa: ASYNC110 - many tasks change it
                await asyncio.sleep(0.02)
            await self._take()

    async def _take(self) -> None:
        _, metrics = await self.around.controller.get("/metrics")
        self.samples.append(
            Sample(
                done=self.around.jobs.completed,
                seconds=time.perf_counter(),
                cpu=self.around.cpu(USER),
                turns=turns_in(metrics, _KINDS),
            )
        )


async def _measure(shape: Shape) -> None:
    async with surroundings() as around:
        before = {name: around.cpu(name) for name in around.pids}
        watched = _Watched(around=around, total=shape.total)
        started = time.perf_counter()
        async with asyncio.timeout(_LONGEST_SECONDS):
            for number in range(shape.experiments):
                await around.cluster.create(experiment(f"e{number:04}", shape))
            await watched.follow()
            await _all_succeeded(around, shape)
        took = time.perf_counter() - started
        _console.print(
            f"[bold]{shape}[/bold]: {shape.total / took:.1f} trials/s, {took:.0f} s,"
            f" load average {os.getloadavg()[0]:.1f}"
        )
        _print_windows([*stretches(watched.samples, windows_of(shape.total))])
        cpu = {name: (around.cpu(name) - before[name]) / shape.total for name in around.pids}
        _print_costs(around, cpu)
        await _print_requests(around, shape)
        await _print_sizes(around)


async def _all_succeeded(around: ElectionRuntime, shape: Shape) -> None:
    """Wait until all experiments have ended; check the numbers of their trials."""
    while True:
        found = (await around.cluster.list(Scope(EXPERIMENT, NAMESPACE))).items
        statuses: list[Any] = [one.get("status") or {} for one in found]
        if all(status.get("completionTime") for status in statuses):
            break
        await asyncio.sleep(1)
    ended = {status.get("trialsSucceeded") for status in statuses}
    if ended != {shape.trials} or around.jobs.twice:
        _console.print(f"[red]WRONG: trials of an experiment {ended}, twice {around.jobs.twice}")


def experiment(name: str, shape: Shape) -> JsonObject:
    """Return an experiment with random search."""
    return {
        "apiVersion": EXPERIMENT.api_version,
        "kind": EXPERIMENT.kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": "random"},
            "maxTrialCount": shape.trials,
            "parallelTrialCount": _PARALLEL[shape.experiments == 1],
            "maxFailedTrialCount": 1,
            "parameters": [
                {
                    "name": name,
                    "parameterType": "double",
                    "feasibleSpace": {"min": "0.01", "max": "0.5"},
                }
                for name in ("lr", "momentum")
            ],
            "trialTemplate": {
                "primaryContainerName": "training",
                "trialParameters": [
                    {"name": "lr", "reference": "lr"},
                    {"name": "momentum", "reference": "momentum"},
                ],
                "trialSpec": _JOB,
            },
        },
    }


_COMMAND = ["python3", "train.py", "--lr=${trialParameters.lr}"]
_CONTAINER: JsonObject = {
    "name": "training",
    "image": "trainer",
    "command": [*_COMMAND, "--momentum=${trialParameters.momentum}"],
    "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
}
_JOB: JsonObject = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [_CONTAINER]}}},
}


def _print_windows(found: list[Stretch]) -> None:
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("trials ended", no_wrap=True)
    headings = ("trials/s", "CPU ms/trial", *(f"{k} turns/trial, ms" for k in _KINDS))
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found:
        turns = (
            f"{one.turns(kind):.1f}, {one.seconds_of_a_turn(kind) * 1e3:.1f}" for kind in _KINDS
        )
        name = f"{one.first.done:,} to {one.last.done:,}"
        table.add_row(name, f"{one.per_second:.1f}", f"{one.cpu * 1e3:.1f}", *turns)
    _console.print(table)


def _print_costs(around: ElectionRuntime, cpu: dict[str, float]) -> None:
    spent = ", ".join(f"{name} {seconds * 1e3:.1f}" for name, seconds in cpu.items())
    _console.print(
        f"CPU, ms a trial: {spent}\npeak memory of the controller: {around.peak_mib():.0f} MiB"
    )


async def _print_requests(around: ElectionRuntime, shape: Shape) -> None:
    await asyncio.sleep(2)  # the API server's log is written with a delay
    requests = requests_of(around.plane.asked(), USER)
    total = sum(count for _, _, count in requests)
    parts = [f"{verb} {what} {n / shape.total:.3f}" for verb, what, n in requests if n > 1]
    _console.print(
        f"API requests a trial: {total / shape.total:.2f}\n  {', '.join(parts)}",
        highlight=False,
    )
    asked = sum(n for verb, what, n in requests if (verb, what) == ("patch", "suggestions"))
    metrics = await around.asked_of_store()
    name, summary = "trialwatch_dbmanager_requests_total", "/trialwatch.v1.Observations/Summary"
    read = sum(by_label(metrics, name, "method", summary))
    _console.print(
        f"questions to the store a trial: {read / shape.total:.2f};"
        f" to the search: {asked / shape.total:.3f} ({shape.total / max(asked, 1):.1f} trials each)"
    )


async def _print_sizes(around: ElectionRuntime) -> None:
    sizes = []
    for kind in (EXPERIMENT, SUGGESTION):
        ref = Ref(api_version=kind.api_version, kind=kind.kind, namespace=NAMESPACE, name="e0000")
        document = await around.cluster.get(ref)
        sizes.append(f"{kind.kind} {len(json.dumps(document)) / 1024:.1f} KiB")
    _console.print(f"objects at the end: {', '.join(sizes)}\n")
