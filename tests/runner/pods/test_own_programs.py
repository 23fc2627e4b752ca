"""Which launcher a run starts: the one in C if it was installed or built, else the one in Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from runner.pods.own_programs import launcher_program


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the launcher's module, with a source in C of the second 100."""
    made = tmp_path / "launcher"
    made.mkdir()
    (made / "launch.c").touch()
    os.utime(made / "launch.c", (100, 100))
    return made


def build(path: Path, second: float) -> Path:
    """Make a program that was built at a time."""
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o755)
    os.utime(path, (second, second))
    return path


def test_without_a_program_the_launcher_in_python_runs(folder: Path) -> None:
    assert launcher_program(folder)[0] == sys.executable


def test_the_installed_program_runs_whatever_its_age(folder: Path) -> None:
    installed = build(folder / "launch", 1)
    build(folder.parent / ".build" / "launch", 200)

    assert launcher_program(folder) == (str(installed),)


@pytest.mark.parametrize(("second", "fresh"), [(99, False), (101, True)])
def test_a_program_in_a_working_copy_runs_unless_a_source_is_newer(
    folder: Path, *, second: int, fresh: bool
) -> None:
    built = build(folder.parent / ".build" / "launch", second)

    assert (launcher_program(folder) == (str(built),)) is fresh


def test_a_program_that_may_not_be_executed_does_not_run(folder: Path) -> None:
    build(folder / "launch", 200).chmod(0o644)

    assert launcher_program(folder)[0] == sys.executable
