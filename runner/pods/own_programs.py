"""The command lines of the programs of trialwatch that run as processes of this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import launcher

_LAUNCHER = Path(launcher.__file__).parent


def own_program(module: str) -> tuple[str, ...]:
    """Return the command line that runs a module of trialwatch in a Python of its own.

    -I keeps the user's current directory and PYTHONPATH out: they may have a module of that name.
    """
    return (sys.executable, "-I", "-m", "trialwatch.program", module)


def launcher_program(folder: Path = _LAUNCHER) -> tuple[str, ...]:
    """Return the command line of the launcher: the program in C if there is one, else in Python.

    A wheel has it in the folder of the module. A working copy has it in `.build`, after `make
    launcher`; it counts unless a source is newer.
    """
    installed, built = folder / "launch", folder.parent / ".build" / "launch"
    if os.access(installed, os.X_OK):
        return (str(installed),)
    sources = [*folder.glob("*.[ch]")]
    if sources and os.access(built, os.X_OK) and built.stat().st_mtime >= _newest(sources):
        return (str(built),)
    return own_program("launcher")


def _newest(paths: Iterable[Path]) -> float:
    return max(path.stat().st_mtime for path in paths)
