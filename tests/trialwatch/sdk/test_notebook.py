"""`trialwatch.tune` in a real Jupyter kernel, where an event loop already runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.trialwatch.sdk.python_project import Project, wait_until

CLIENT = Path(__file__).with_name("kernel_client.py")

TRAIN = """
import time, trialwatch
EPOCHS = 2

class Net:
    def accuracy(self, lr):
        return 1 - lr

def train(lr, opt):
    for epoch in range(EPOCHS):
        trialwatch.report(accuracy=Net().accuracy(lr), step=epoch)

def hang(lr):
    train(lr, None)
    time.sleep(600)
"""
TUNE = """
space = {"lr": (0.001, 0.1), "opt": ["adam", None]}
result = trialwatch.tune(train, space, maximize="accuracy", trials=2)
print(result.state, len(result.records), result.best.metrics["accuracy"] > 0.9, result.name)
"""
HANG = """
result = trialwatch.tune(hang, {"lr": (0.001, 0.1)}, maximize="accuracy", parallel=2)
print(result.state, result.best, {trial.state for trial in result.records})
"""


@dataclass(frozen=True)
class Output:
    kind: str
    text: str
    html: bool


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    shutil.copy(CLIENT, tmp_path / "kernel_client.py")
    yield made
    made.close()


def run(project: Project, *cells: dict[str, str]) -> list[Output]:
    """Run cells in a new kernel, and return all their outputs."""
    project.write("cells.json", json.dumps(cells))
    status, out, err = project.call("kernel_client.py", "cells.json")
    assert status == 0, err
    return [Output(**json.loads(line)) for line in out.splitlines()]


def printed(outputs: list[Output]) -> list[str]:
    return "".join(one.text for one in outputs if one.kind == "stream").splitlines()


def test_a_function_of_a_notebook_is_tuned_and_one_output_shows_it(project: Project) -> None:
    outputs = run(
        project,
        {"code": TRAIN},
        {"code": TUNE},
        {"code": "import asyncio; print(asyncio.get_running_loop().is_running())"},
        {"code": TUNE},
        {"code": "EPOCHS = 3\n" + TUNE},
    )

    assert [one.text for one in outputs if one.kind == "error"] == []
    first, loop, again, changed = printed(outputs)
    assert first.startswith("succeeded 2 True train-")
    assert loop == "True"
    assert again == first
    assert changed.split()[-1] != first.split()[-1]
    views = [one for one in outputs if one.kind.endswith("display_data")]
    assert [one.kind for one in views].count("display_data") == 3
    assert len(views) > 6
    assert all(one.html for one in views)
    assert "2 trials: 2 succeeded" in views[-1].text


def test_interrupting_the_kernel_ends_the_search_and_returns_what_it_has(project: Project) -> None:
    outputs = run(project, {"code": TRAIN}, {"code": HANG, "interrupt": "running"}, {"code": TUNE})

    hung, tuned = printed(outputs)
    assert hung == "interrupted None {'interrupted'}"
    assert tuned.startswith("succeeded 2 True train-")


def test_a_killed_kernel_leaves_no_process_behind(project: Project) -> None:
    run(project, {"code": TRAIN}, {"code": HANG, "kill": "running"})

    wait_until(lambda: project.processes() == [])
