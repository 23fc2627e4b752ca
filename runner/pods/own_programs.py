"""The command lines of the programs of trialwatch that run as processes of this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import launcher

_STATIC_LAUNCHER = Path(launcher.__file__).with_name("launch")


def own_program(module: str) -> tuple[str, ...]:
    """Return the command line that runs a module of trialwatch in a Python of its own.

    -I keeps the user's current directory and PYTHONPATH out: they may have a module of that name.
    """
    return (sys.executable, "-I", "-m", "trialwatch.program", module)


def launcher_program(static: Path = _STATIC_LAUNCHER) -> tuple[str, ...]:
    """Return the command line of the launcher: the program in C, if it was installed."""
    return (str(static),) if os.access(static, os.X_OK) else own_program("launcher")
