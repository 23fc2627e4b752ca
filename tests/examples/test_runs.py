"""The examples, run for real, with few trials: the store has what the trainings printed."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.examples.test_experiments import EXAMPLES, NAMES

ROOT = EXAMPLES.parent
METRICS = ("Validation-accuracy", "Train-accuracy")


def run(experiment: Path, state: Path) -> dict[str, Any]:
    """Run an experiment from the top of the repository, as its first lines say."""
    python = Path(sys.executable).parent
    words = ("run", str(experiment), "--state-dir", str(state), "--output", "json")
    done = subprocess.run(
        [sys.executable, "-m", "trialwatch", *words],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{python}:{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def printed(log: str, metric: str) -> list[str]:
    return re.findall(rf"{metric}=([0-9.]+)", log)


def stored(database: Path, trial: str, metric: str) -> list[str]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    rows = connection.execute(
        "SELECT value FROM observation_logs WHERE trial_name = ? AND metric_name = ?"
        " ORDER BY time, id",
        (trial, metric),
    ).fetchall()
    connection.close()
    return [value for (value,) in rows]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_to_its_optimal_trial(name: str, tmp_path: Path) -> None:
    text = (EXAMPLES / f"{name}.yaml").read_text()
    short = tmp_path / "short.yaml"
    short.write_text(text.replace("maxTrialCount: 12", "maxTrialCount: 3"))

    status = run(short, tmp_path / "state")["status"]

    assert status["trials"] == status["trialsSucceeded"] == 3
    (experiment,) = (tmp_path / "state" / "kubeflow").iterdir()
    best = {}
    for trial in status["succeededTrialList"]:
        (log,) = (experiment / "logs" / trial).glob("*/training-container.log")
        for metric in METRICS:
            values = printed(log.read_text(), metric)
            assert len(values) == 10
            if name == "event-files":  # numbers: 0.5 where the log has 0.5000
                values = [str(float(value)) for value in values]
            assert stored(experiment / "observations.db", trial, metric) == values
        best[trial] = max(printed(log.read_text(), METRICS[0]))
    optimal = status["currentOptimalTrial"]
    assert best[optimal["bestTrialName"]] == max(best.values())
    assert optimal["observation"]["metrics"][0]["max"] == max(best.values())
    assert f"Optimal trial: {optimal['bestTrialName']}" in (experiment / "report.html").read_text()
