"""The three examples, for real, in few trials: the store has what the trainers printed."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from api.names import GENERATION_LABEL, PARENT_LABEL
from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from tests.runner.experiment_runs import ROOT, Machine

METRICS = ("Validation-accuracy", "Train-accuracy")
PRINTED = re.compile(
    r"(Validation-accuracy|Train-accuracy)=([0-9.]+)"
    r"|\{metricName: ([\w|-]+), metricValue: ([0-9.]+)\}"
)


def short(name: str) -> dict[str, Any]:
    """Return an example with three trials of two epochs."""
    [document] = load_objects((ROOT / "examples" / f"{name}.yaml").read_text())
    spec: Any = document["spec"]
    spec["maxTrialCount"], spec["parallelTrialCount"] = 3, 2
    spec["objective"].pop("goal", None)
    template = spec["trialTemplate"]
    template["retain"] = True
    [one] = template["trialSpec"]["spec"]["template"]["spec"]["containers"]
    assert one["command"][1] == "examples/digits/train.py"
    one["command"][1] = str(ROOT / "examples" / "digits" / "train.py")
    one["command"].append("--epochs=2")
    return dict(document)


@pytest.mark.parametrize(
    "name", ["random", "bayesianoptimization", "file-collector", "event-files"]
)
def test_the_store_has_what_the_trainers_printed(machine: Machine, name: str) -> None:
    document = short(name)
    (machine.folder / "e.yaml").write_text(dump_objects([document]))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    status, _, err = machine.call("run", "e.yaml", "--output", "json", PATH=path)
    assert status == 0, err
    state = machine.folder / ".trialwatch" / "kubeflow" / document["metadata"]["name"]
    stored = _stored(state / "observations.db")
    printed = {path.stem: _printed(state, path.stem) for path in (state / "trials").glob("*.yaml")}

    assert len(printed) == 3
    assert all(len(values) == 4 for values in printed.values())
    assert stored == printed


def test_hyperband_trains_the_best_of_three_networks_for_longer(machine: Machine) -> None:
    [document] = load_objects((ROOT / "examples" / "hyperband.yaml").read_text())
    spec: Any = document["spec"]
    spec["maxTrialCount"], spec["parallelTrialCount"] = 6, 3
    spec["objective"].pop("goal", None)
    spec["algorithm"]["algorithmSettings"][1] = {"name": "r_l", "value": "3"}
    [one] = spec["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"]
    one["command"][1] = str(ROOT / "examples" / "digits" / "train.py")
    (machine.folder / "e.yaml").write_text(dump_objects([dict(document)]))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    status, _, err = machine.call("run", "e.yaml", "--output", "json", PATH=path)
    assert status == 0, err
    state = machine.folder / ".trialwatch" / "kubeflow" / "hyperband"
    stored = _stored(state / "observations.db")
    trained = [_assignments(path) for path in (state / "trials").glob("*.yaml")]
    lengths = {tuple(sorted(one.items())): len(stored[name]) // 2 for name, one in trained}

    short = [dict(one) for one, length in lengths.items() if length == 1]
    long = [dict(one) for one, length in lengths.items() if length == 3]
    assert (len(short), len(long)) == (3, 3)
    assert {one["epochs"] for one in short} == {"1"}
    assert {one["epochs"] for one in long} == {"3"}
    assert len([one for one in long if one | {"epochs": "1"} in short]) == 1


def test_asha_stops_networks_at_its_rungs(machine: Machine) -> None:
    [document] = load_objects((ROOT / "examples" / "asha.yaml").read_text())
    spec: Any = document["spec"]
    spec["maxTrialCount"], spec["parallelTrialCount"] = 3, 1
    spec["objective"].pop("goal", None)
    spec["algorithm"]["algorithmSettings"] = [{"name": "random_state", "value": "1"}]
    [one] = spec["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"]
    one["command"][1] = str(ROOT / "examples" / "digits" / "train.py")
    one["command"][-1] = "--epochs=2"
    (machine.folder / "e.yaml").write_text(dump_objects([dict(document)]))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    status, out, err = machine.call("run", "e.yaml", "--output", "json", PATH=path)
    assert status == 0, err
    ended = json.loads(out)["status"]
    stored = _stored(machine.folder / ".trialwatch" / "kubeflow" / "asha" / "observations.db")

    # With this seed, the third network is not the best one after its first epoch.
    assert (ended["trialsSucceeded"], ended["trialsEarlyStopped"]) == (2, 1)
    assert all(len(stored[name]) >= 2 for name in ended["earlyStoppedTrialList"])


def _assignments(file: Path) -> tuple[str, dict[str, str]]:
    [trial] = load_objects(file.read_text())
    spec: Any = trial["spec"]
    return file.stem, {one["name"]: one["value"] for one in spec["parameterAssignments"]}


def _printed(state: Path, trial: str) -> list[tuple[str, str]]:
    """Read the trainer's own words: its log, or the file that it wrote."""
    [log] = (state / "logs" / trial).glob("*/training-container.log")
    files = [*(state / "pods" / trial).glob("*/volumes/metrics-volume/mnist.log")]
    text = (files[0] if files else log).read_text()
    rows = [(a or c, b or d) for a, b, c, d in PRINTED.findall(text)]
    if state.name == "event-files":  # 0.5 where the log has 0.5000
        rows = [(name, str(float(value))) for name, value in rows]
    return sorted(row for row in rows if row[0] in METRICS)


def _stored(database: Path) -> dict[str, list[tuple[str, str]]]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    rows = connection.execute(
        "SELECT trial_name, metric_name, value FROM observation_logs"
    ).fetchall()
    connection.close()
    found: dict[str, list[tuple[str, str]]] = {}
    for trial, metric, value in sorted(rows):
        found.setdefault(trial, []).append((metric, value))
    return found


COUNTING = (
    "echo step >> /katib/checkpoint/steps;"
    " echo Validation-accuracy=0.$(wc -l < /katib/checkpoint/steps)"
)
"""A training that only counts how often it went on."""


def test_a_population_goes_on_from_the_checkpoints_of_its_parents(machine: Machine) -> None:
    [document] = load_objects((ROOT / "examples" / "pbt.yaml").read_text())
    spec: Any = document["spec"]
    spec["maxTrialCount"], spec["parallelTrialCount"] = 6, 1
    [one] = spec["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"]
    assert one["command"][-1] == "--checkpoint=/katib/checkpoint"
    one["command"] = ["sh", "-c", f"{COUNTING} lr ${{trialParameters.learningRate}}"]
    (machine.folder / "e.yaml").write_text(dump_objects([dict(document)]))
    status, _, err = machine.call("run", "e.yaml", "--output", "json")
    assert status == 0, err
    state = machine.folder / ".trialwatch" / "kubeflow" / "pbt"
    labels = {}
    for file in (state / "trials").glob("*.yaml"):
        [trial] = load_objects(file.read_text())
        own: Any = trial["spec"]
        labels[file.stem] = own["labels"]
    generations = {name: int(own[GENERATION_LABEL]) for name, own in labels.items()}
    steps = {
        folder.name: len((folder / "steps").read_text().splitlines())
        for folder in (state / "checkpoints" / "pbt").iterdir()
    }
    [youngest] = [name for name, generation in generations.items() if generation == 1]
    _, shown, _ = machine.call("get", "trials", "-o", "wide")

    assert sorted(generations.values()) == [0, 0, 0, 0, 0, 1]
    assert steps == {name: generation + 1 for name, generation in generations.items()}
    assert f"1 of {labels[youngest][PARENT_LABEL]}" in shown
