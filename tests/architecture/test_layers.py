"""Imports go one way; an import in the other direction fails the build."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, pyproject

BREACHES = [
    ("api/breach.py", "import filters", "Imports go one way"),
    ("filters/breach.py", "import trialwatch", "Imports go one way"),
    ("api/breach.py", "import os", "The pure cores do no I/O"),
    ("filters/breach.py", "from pathlib import Path", "The pure cores do no I/O"),
    ("filters/breach.py", "import time", "The pure cores do no I/O"),
    ("controller/reconcile/breach.py", "import asyncio", "The controller's core"),
    ("controller/driver/breach.py", "import kubernetes", "The controller's core"),
    (
        "controller/reconcile/breach.py",
        "import controller.driver.driver",
        "The controller's layers",
    ),
    ("webhook/pods/breach.py", "import logging", "The webhook's core"),
    ("webhook/experiments/breach.py", "import asyncio", "The webhook's core"),
    ("webhook/model/breach.py", "import webhook.pods.decide", "The webhook's layers"),
    ("dbmanager/store/breach.py", "import dbmanager.service.replies", "The DB manager's layers"),
    ("suggestion/algorithms/breach.py", "import asyncio", "The searches and the stop rule"),
    ("suggestion/core/breach.py", "import suggestion.service", "The suggestion service's layers"),
    ("collector/core/breach.py", "import os", "The collector's core"),
    ("collector/streams/breach.py", "import collector.core.plan", "The collector's layers"),
    ("trialwatch/sources/breach.py", "import trialwatch.output", "The command line's layers"),
    ("webhook/breach.py", "import kube.testing.memory", "What only tests use"),
    ("api/errors.py", "import api.faults", "No circles"),
]
PROGRAMS = ["collector", "webhook", "dbmanager", "suggestion", "controller"]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the tree in a folder."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the packages and their contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in pyproject()["tool"]["importlinter"]["root_packages"]:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


def broken(tree: Path, path: str, line: str) -> str:
    """Return import-linter's output after a line is added to a file; "" if it passes."""
    file = tree / path
    before = file.read_text() if file.exists() else ""
    file.write_text(f"{before}\n{line}\n")
    run = lint_imports(tree)
    if before:
        file.write_text(before)
    else:
        file.unlink()
    return run.stdout if run.returncode == 1 else ""


def test_the_tree_keeps_every_contract() -> None:
    run = lint_imports(ROOT)

    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"), BREACHES, ids=[f"{path}: {line}" for path, line, _ in BREACHES]
)
def test_a_breach_breaks_the_build(tree: Path, path: str, line: str, contract: str) -> None:
    verdicts = [text for text in broken(tree, path, line).splitlines() if text.startswith(contract)]

    assert any("BROKEN" in text for text in verdicts), verdicts


def test_programs_are_kept_apart(tree: Path) -> None:
    for one, other in zip(PROGRAMS, PROGRAMS[1:] + PROGRAMS[:1], strict=True):
        assert broken(tree, f"{one}/breach.py", f"import {other}"), f"{one} imports {other}"
