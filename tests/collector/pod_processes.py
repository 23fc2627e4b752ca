"""A pod as real processes: a launcher with its trainer, and a collector."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
NOBODY = 65532


def eventually(
    what: Callable[[], object], why: Callable[[], str], patience: float = PATIENCE
) -> None:
    """Wait until `what` returns a true value."""
    deadline = time.monotonic() + patience
    while not what():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


class Trial:
    """One trial's pod: processes that share a directory."""

    def __init__(self, folder: Path, address: str, name: str = "trial-1") -> None:
        self.folder = folder
        self.name = name
        self.run_dir = folder / "run"
        self.message = folder / "termination-log"
        self.log = folder / "collector.log"
        self.shown = folder / "collector.out"
        self._address = address
        self._processes: list[subprocess.Popen[bytes]] = []
        self.run_dir.mkdir(parents=True)
        self.run_dir.chmod(0o777)
        self.message.touch()

    def collector(
        self, *flags: str, source: str = "stdout", native: bool = True, under: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """Start the sidecar's worker, perhaps under another program."""
        own = [f"--run-dir={self.run_dir}", f"--source={source}", f"--native={str(native).lower()}"]
        args = ["-t", self.name, "-m", "loss;acc", "-o-type", "minimize", "-s-db", self._address]
        own += [f"--termination-log={self.message}", "--log-level=info"]
        command = [*under, sys.executable, "-m", "collector", *args, *own, *flags]
        with self.log.open("ab") as log, self.shown.open("ab") as shown:
            return self._start(command, stdout=shown, stderr=log)

    def trainer(self, command: Sequence[str], *flags: str) -> subprocess.Popen[bytes]:
        """Start a trainer under a launcher; its output is a pipe."""
        own = ["--run-dir", str(self.run_dir), *flags]
        if "--file" not in flags:
            own.append("--capture")
        launcher = [sys.executable, "-m", "launcher", "run", *own, "--", *command]
        return self._start(launcher, stdout=subprocess.PIPE)

    def train(self, script: str, *flags: str) -> int:
        """Run a shell script as the trainer to the end of its container."""
        return self.trainer(["sh", "-c", script], *flags).wait(PATIENCE)

    def await_delivery(self, attempt: int = 1) -> None:
        """Wait until the collector has finished an attempt."""
        eventually(lambda: self._finished() >= attempt, lambda: f"not delivered:\n{self.log_text}")

    def await_following(self, attempt: int = 1) -> None:
        eventually(lambda: f"following attempt {attempt}" in self.log_text, lambda: self.log_text)

    @property
    def log_text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    @property
    def last_words(self) -> dict[str, Any]:
        """The termination message."""
        words: dict[str, Any] = json.loads(self.message.read_text())
        return words

    def end_all(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _finished(self) -> int:
        try:
            attempt = json.loads((self.run_dir / "checkpoint").read_text())["attempt"]
        except (FileNotFoundError, ValueError):
            return 0
        number: int = attempt["number"]
        return number if attempt["finished"] else number - 1

    def _start(self, command: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - those of Popen
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=self.folder, env=environ, **how)
        self._processes.append(process)
        return process


@contextmanager
def trial(folder: Path, address: str, name: str = "trial-1") -> Iterator[Trial]:
    """Set up a pod; kill its processes at the end."""
    made = Trial(folder, address, name)
    try:
        yield made
    finally:
        made.end_all()


def terminate(process: subprocess.Popen[bytes]) -> int:
    """Tell a collector to end, as the kubelet does; return its status.

    One that is still starting dies of it, and its supervisor starts it again with the signal
    pending; here we wait until it has started.
    """
    eventually(lambda: process.poll() is not None or _awaits_the_end(process.pid), lambda: "stuck")
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE)


def _awaits_the_end(pid: int) -> bool:
    [blocked] = re.findall(r"SigBlk:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(blocked, 16) >> (signal.SIGTERM - 1) & 1)


class Observations:
    """The rows in a DB manager's SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exist(self) -> bool:
        """Return whether the DB manager has made its tables."""
        try:
            self._rows("SELECT 1 FROM observation_logs LIMIT 1")
        except sqlite3.OperationalError:
            return False
        return True

    def values(self, trial: str, metric: str = "loss") -> list[str]:
        """Return all values of a metric, of every attempt, in the order of their times."""
        return self._column("value", trial, metric)

    def steps(self, trial: str, metric: str = "loss") -> list[int | None]:
        """Return the steps of these values."""
        return self._column("step", trial, metric)

    def outcomes(self) -> list[str | None]:
        """Return the outcome of each source."""
        return [outcome for (outcome,) in self._rows("SELECT outcome FROM trialwatch_sources")]

    def _column(self, name: str, trial: str, metric: str) -> list[Any]:
        rows = self._rows(
            f"SELECT {name} FROM observation_logs WHERE trial_name = ? AND metric_name = ?"
            " ORDER BY time, id",
            trial,
            metric,
        )
        return [value for (value,) in rows]

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self._path}?mode=ro", uri=True) as connection:
            found = connection.execute(query, values).fetchall()
        connection.close()
        return found
