"""Imports go one way, and the build breaks where they do not."""

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
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the tree in a folder."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def plant(folder: Path, packages: list[str]) -> None:
    """Make a tree of empty packages, with the modules that the contracts name."""
    for package in packages:
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    for contract in pyproject()["tool"]["importlinter"]["contracts"]:
        for module in contract.get("source_modules", []):
            if "." in module:
                path = folder / f"{module.replace('.', '/')}.py"
                path.parent.mkdir(exist_ok=True)
                (path.parent / "__init__.py").touch()
                path.touch()


def test_the_tree_keeps_every_contract() -> None:
    run = lint_imports(ROOT)

    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"), BREACHES, ids=[f"{path}: {line}" for path, line, _ in BREACHES]
)
def test_a_breach_breaks_the_build(tmp_path: Path, path: str, line: str, contract: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    plant(tmp_path, pyproject()["tool"]["importlinter"]["root_packages"])
    (tmp_path / path).write_text(f"{line}\n")

    run = lint_imports(tmp_path)

    assert run.returncode == 1, run.stdout + run.stderr
    assert f"{contract}" in run.stdout
    assert "BROKEN" in run.stdout


def test_programs_are_kept_apart(tmp_path: Path) -> None:
    """Those that are not there yet too: the layers name them all."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    programs = ["collector", "webhook", "dbmanager", "suggestion", "controller"]
    listed = pyproject()["tool"]["importlinter"]["root_packages"]
    roots = sorted({*listed, *programs})
    old = "root_packages = [\n" + "".join(f'    "{name}",\n' for name in listed)
    assert old in text
    new = "root_packages = [\n" + "".join(f'    "{name}",\n' for name in roots)
    (tmp_path / "pyproject.toml").write_text(text.replace(old, new))
    plant(tmp_path, roots)
    assert lint_imports(tmp_path).returncode == 0

    for one, other in zip(programs, programs[1:] + programs[:1], strict=True):
        (tmp_path / one / "breach.py").write_text(f"import {other}\n")
        assert lint_imports(tmp_path).returncode == 1, f"{one} imports {other}"
        (tmp_path / one / "breach.py").unlink()
