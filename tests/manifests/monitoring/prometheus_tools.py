"""Debian's Prometheus: the server and promtool."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def tool(name: str) -> str:
    """Return the path of `prometheus` or `promtool`; skip if it is not installed."""
    path = shutil.which(name)
    if path is None and os.environ.get("CI"):
        pytest.fail(f"no {name}: a build machine must have it")
    if path is None:
        pytest.skip(f"no {name} here: install Debian's package `prometheus`")
    return path


def promtool(*words: str, folder: Path) -> str:
    """Run promtool in a folder; return what it prints."""
    run = subprocess.run(
        [tool("promtool"), *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr
