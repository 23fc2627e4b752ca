"""Early stopping on recorded learning curves: what it saves, against Optuna's pruners.

bench/learning_curves.json has real trainings (`bench.record_curves`). Each search replays 40 of a
task's 60 trainings in a random order, four at a time, one step each in turn; the pruners of Optuna
see the same values in the same order. `saved` is the share of the steps that were not trained.
`excess` is how much worse the best value is than without early stopping, in units of the noise of
the task: how much the same settings vary by their seed. `equal` is the share of searches whose
excess is at most 1. All are means over the seeds; the last table is over all tasks.

The second part runs real processes under `trialwatch run`: how soon after its deciding line a
training gets its signal to end.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import optuna
from rich.console import Console
from rich.table import Table

from bench.record_curves import FILE, STEPS
from stopping.curves import Curve, Point
from stopping.median import LiveMedianStop
from stopping.patience import Patience
from stopping.percentile import PercentileStop
from stopping.rule import Goal, StoppingRule, TrialHistory, TrialState
from stopping.successive_halving import SuccessiveHalving

if TYPE_CHECKING:
    import argparse

_TRIALS: Final = 40
_PARALLEL: Final = 4
_GOAL: Final = Goal(metric="loss")
Losses = Sequence[Sequence[float]]
"""By trial: the loss after each step."""


class Stopper(Protocol):
    """Learns the values of trials as they come, and says which trials must stop."""

    def report(self, trial: int, step: int, loss: float) -> set[int]:
        """Take a value; return the running trials that must stop now."""

    def ended(self, trial: int) -> None:
        """Take note that a trial has trained to its end."""


class OurRule:
    """A rule, asked after each value as the controller asks it."""

    def __init__(self, rule: StoppingRule) -> None:
        self._rule = rule
        self._curves: dict[int, Curve] = {}
        self._states: dict[int, TrialState] = {}
        self._clock = 0

    def report(self, trial: int, step: int, loss: float) -> set[int]:
        """Extend the curve, and judge all running trials."""
        self._clock += 1_000_000
        point = Point(repr(loss), step, self._clock)
        self._curves[trial] = self._curves.get(trial, Curve()).extended([point])
        self._states.setdefault(trial, TrialState.RUNNING)
        histories = [
            TrialHistory(name=f"trial-{one}", state=self._states[one], curves={"loss": curve})
            for one, curve in self._curves.items()
        ]
        verdicts = self._rule.judge(_GOAL, histories)
        stopped = {int(one.trial.removeprefix("trial-")) for one in verdicts}
        self._states |= dict.fromkeys(stopped, TrialState.STOPPED)
        return stopped

    def ended(self, trial: int) -> None:
        """Mark a trial as succeeded."""
        self._states[trial] = TrialState.SUCCEEDED


class OptunasPruner:
    """A pruner, asked after each report as Optuna's users ask it."""

    def __init__(self, pruner: optuna.pruners.BasePruner) -> None:
        self._study = optuna.create_study(pruner=pruner)
        self._trials: dict[int, optuna.Trial] = {}
        self._best: dict[int, float] = {}

    def report(self, trial: int, step: int, loss: float) -> set[int]:
        """Report a value; only the reporting trial can be pruned."""
        if trial not in self._trials:
            self._trials[trial] = self._study.ask()
        self._best[trial] = min(loss, self._best.get(trial, loss))
        self._trials[trial].report(loss, step)
        if not self._trials[trial].should_prune():
            return set()
        self._study.tell(self._trials[trial], state=optuna.trial.TrialState.PRUNED)
        return {trial}

    def ended(self, trial: int) -> None:
        """Tell the best value."""
        self._study.tell(self._trials[trial], self._best[trial])


STOPPERS: Final[dict[str, Callable[[], Stopper]]] = {
    "medianstop": lambda: OurRule(LiveMedianStop()),
    "Optuna MedianPruner": lambda: OptunasPruner(
        optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=4)
    ),
    "asha": lambda: OurRule(SuccessiveHalving(name="asha")),
    "Optuna SuccessiveHalvingPruner": lambda: OptunasPruner(
        optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=4)
    ),
    "hyperband-stop": lambda: OurRule(
        SuccessiveHalving(name="hyperband-stop", max_resource=STEPS, brackets=3)
    ),
    "Optuna HyperbandPruner": lambda: OptunasPruner(
        optuna.pruners.HyperbandPruner(min_resource=1, max_resource=STEPS, reduction_factor=4)
    ),
    "percentile": lambda: OurRule(PercentileStop()),
    "Optuna PercentilePruner": lambda: OptunasPruner(
        optuna.pruners.PercentilePruner(50, n_startup_trials=3, n_warmup_steps=4)
    ),
    "patience": lambda: OurRule(Patience()),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One search with early stopping."""

    saved: float
    excess: float
    """In units of the task's noise."""


def replay(losses: Losses, noise: float, stopper: Stopper) -> Outcome:
    """Train the trials in their order, and stop those that the stopper names."""
    waiting = list(range(len(losses)))
    running: dict[int, int] = {}
    """By trial: how many steps it has trained."""
    trained, best = 0, float("inf")
    while waiting or running:
        while waiting and len(running) < _PARALLEL:
            running[waiting.pop(0)] = 0
        for trial in list(running):
            if trial not in running:
                continue
            step = running[trial] = running[trial] + 1
            loss = losses[trial][step - 1]
            trained, best = trained + 1, min(best, loss)
            stopped = stopper.report(trial, step, loss)
            if step == len(losses[trial]) and trial not in stopped:
                stopper.ended(trial)
                stopped = {*stopped, trial}
            for one in stopped:
                running.pop(one, None)
    every = min(min(curve) for curve in losses)
    steps = sum(map(len, losses))
    return Outcome(1 - trained / steps, (best - every) / noise)


def _searches(task: dict[str, Any], make: Callable[[], Stopper], seeds: int) -> Iterator[Outcome]:
    for seed in range(seeds):
        losses = random.Random(seed).sample(task["curves"], _TRIALS)  # noqa: S311 - an order
        yield replay(losses, task["noise"], make())


def _table(title: str, outcomes: dict[str, list[Outcome]]) -> Table:
    table = Table(title=title)
    for column in ("rule", "saved", "excess", "equal"):
        table.add_column(column, justify="left" if column == "rule" else "right")
    for name, found in outcomes.items():
        table.add_row(
            name,
            f"{statistics.fmean(one.saved for one in found):.0%}",
            f"{statistics.fmean(one.excess for one in found):.2f}",
            f"{statistics.fmean(one.excess <= 1 for one in found):.0%}",
        )
    return table


def run(arguments: argparse.Namespace) -> None:
    """Print the tables."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    console = Console(width=100)
    tasks: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
    total: dict[str, list[Outcome]] = {name: [] for name in STOPPERS}
    for title, task in tasks.items():
        found = {n: list(_searches(task, make, arguments.seeds)) for n, make in STOPPERS.items()}
        console.print(_table(f"{title} ({arguments.seeds} searches)", found))
        for name, outcomes in found.items():
            total[name] += outcomes
    console.print(_table("all tasks", total))
    seconds = [_seconds_to_the_signal() for _ in range(arguments.rounds)]
    console.print(
        f"from a deciding line to SIGTERM, real processes, median of {len(seconds)}:"
        f" {statistics.median(seconds):.2f} s (longest {max(seconds):.2f} s)"
    )


_TRAINING: Final = """
import signal, sys, time

def end(*_):
    print("signal after", time.time() - printed, flush=True)
    sys.exit(1)

signal.signal(signal.SIGTERM, end)
print("loss=1", flush=True)
time.sleep(1)
printed = time.time()
print("loss=9", flush=True)
time.sleep(60)
"""
_EXPERIMENT: Final = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {{name: stopping}}
spec:
  objective: {{type: minimize, objectiveMetricName: loss}}
  algorithm: {{algorithmName: random}}
  earlyStopping:
    algorithmName: threshold
    algorithmSettings: [{{name: upper, value: "5"}}]
  maxTrialCount: 1
  parallelTrialCount: 1
  parameters: [{{name: lr, parameterType: double, feasibleSpace: {{min: "0", max: "1"}}}}]
  trialTemplate:
    primaryContainerName: main
    trialParameters: [{{name: lr, reference: lr}}]
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      spec:
        template:
          spec:
            restartPolicy: Never
            containers:
              - name: main
                image: none
                command: [{python}, train.py, "${{trialParameters.lr}}"]
"""


def _seconds_to_the_signal() -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.py").write_text(textwrap.dedent(_TRAINING))
        (folder / "e.yaml").write_text(_EXPERIMENT.format(python=sys.executable))
        environ = {**os.environ, "PYTHONPATH": str(Path.cwd()), "HOME": name, "KUBECONFIG": ""}
        command = [sys.executable, "-m", "trialwatch", "run", "e.yaml", "--output", "json"]
        subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True)
        [log] = folder.glob(".trialwatch/default/stopping/logs/*/*/main.log")
        [line] = [one for one in log.read_text().splitlines() if one.startswith("signal after")]
        return float(line.split()[-1])
