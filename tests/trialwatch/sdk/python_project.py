"""A folder with a user's Python files, and calls of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[3]
PATIENCE = 120.0


class Project:
    """A folder with files; each call is a Python of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(self.folder), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def call(self, *words: str, **environ: str) -> tuple[int, str, str]:
        process = self.start(*words, **environ)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def logs(self) -> list[str]:
        """Return what the trainings have printed, of all trials."""
        paths = sorted(self.folder.glob(".trialwatch/default/*/logs/*/*/training.log"))
        return [path.read_text() for path in paths]

    def processes(self) -> list[psutil.Process]:
        """Return the processes that work in the folder."""
        return [one for one in psutil.process_iter() if self._is_here(one)]

    def processes_of(self, module: str) -> list[psutil.Process]:
        """Return those that run a module; one that ends at this moment is left out."""
        found = []
        for one in self.processes():
            with suppress(psutil.NoSuchProcess):  # a zombie too
                if module in one.cmdline():
                    found.append(one)
        return found

    def close(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        for left in self.processes():
            left.kill()

    def _is_here(self, process: psutil.Process) -> bool:
        try:
            return process.cwd() == str(self.folder)
        except psutil.Error:
            return False


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
