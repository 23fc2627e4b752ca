"""The overhead of a trial: `trialwatch run` compared with Optuna and subprocess.

The trial is `sh -c 'echo loss=0.1'`, two at a time, because there everything that is not the trial
shows. The same commands are run bare, by two threads; what is above that is overhead. Optuna's
`optimize(n_jobs=2)` starts the same command and parses its output, which is what people write by
hand: it keeps no log, no metrics as they come, nothing to go on with, and misses what fails.
Both programs are started anew, as a user starts them; the time from start to end is told, and, for
what one more trial costs, the difference to a run of 2 trials.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.objects.yamlout import dump_objects
from bench.timing import seconds
from tests.runner.experiment_runs import experiment

TRIALS, FEW = 50, 2
_COMMAND = ["sh", "-c", "echo loss=0.1"]
_ROOT = Path(__file__).parents[1]
_OPTUNA = """
import re, subprocess, sys
import optuna
optuna.logging.set_verbosity(optuna.logging.WARNING)
def objective(trial):
    trial.suggest_float("lr", 0.01, 0.5)
    out = subprocess.run({command!r}, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"loss=(\\S+)", out)[1])
study = optuna.create_study(
    storage="sqlite:///optuna.db", sampler=optuna.samplers.RandomSampler(seed=1)
)
study.optimize(objective, n_trials={trials}, n_jobs=2)
"""


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    samples: dict[str, list[float]] = {}
    for _ in range(arguments.rounds):  # in turn, so that a slowing machine affects all methods
        for name, act in _ACTS.items():
            with tempfile.TemporaryDirectory() as folder:
                samples.setdefault(name, []).append(seconds(partial(act, Path(folder))))
    found = {name: statistics.median(times) for name, times in samples.items()}
    table = Table("", "whole run", "above the bare", "a trial more", title=_title())
    for name in ("trialwatch run", "Optuna, subprocess"):
        whole, few = found[name], found[f"{name}, {FEW}"]
        above = (whole - found["bare"]) / TRIALS
        more = (whole - few) / (TRIALS - FEW)
        table.add_row(name, f"{whole:.1f} s", f"{above:.3f} s a trial", f"{more:.3f} s")
    table.add_row("the bare processes", f"{found['bare']:.1f} s", "", "")
    Console().print(table)


def _title() -> str:
    return f"{TRIALS} trials of `{' '.join(_COMMAND)}`, 2 at a time (aim: 0.5 s a trial)"


def _bare(folder: Path) -> None:
    start = partial(subprocess.run, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(start, [_COMMAND] * TRIALS))


def _ours(folder: Path, trials: int) -> None:
    script = f"{_COMMAND[-1]}; : ${{trialParameters.lr}}"
    document = experiment(command=[*_COMMAND[:-1], script], maxTrialCount=trials)
    (folder / "e.yaml").write_text(dump_objects([document]))
    _call(folder, "-m", "trialwatch", "run", "e.yaml")


def _optuna(folder: Path, trials: int) -> None:
    _call(folder, "-c", _OPTUNA.format(command=_COMMAND, trials=trials))


def _call(folder: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )


_ACTS: dict[str, Callable[[Path], None]] = {
    "bare": _bare,
    "trialwatch run": partial(_ours, trials=TRIALS),
    f"trialwatch run, {FEW}": partial(_ours, trials=FEW),
    "Optuna, subprocess": partial(_optuna, trials=TRIALS),
    f"Optuna, subprocess, {FEW}": partial(_optuna, trials=FEW),
}
