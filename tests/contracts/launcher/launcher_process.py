"""Starts a trainer under a launcher, and reads the run directory, for the contract suite."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0
"""Seconds to wait for what must happen at once; only a failing test waits so long."""

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """One of the two programs, by its command line."""

    name: str
    argv: tuple[str, ...]

    def run(self, run_dir: Path, *flags: str) -> list[str]:
        return [*self.argv, "run", "--run-dir", str(run_dir), *flags, "--"]


@dataclass(slots=True)
class Launched:
    """A launcher that runs, and its run directory."""

    process: subprocess.Popen[bytes]
    run_dir: Path
    attempt: int = 1
    started: float = field(default_factory=time.monotonic)

    @property
    def folder(self) -> Path:
        return self.run_dir / "attempts" / str(self.attempt)

    def say(self, line: str) -> None:
        """Send one line to the launcher; raise OSError (ENXIO) if it is dead."""
        descriptor = os.open(self.folder / "control", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(descriptor, line.encode() + b"\n")
        finally:
            os.close(descriptor)

    def wait_for_attempt(self) -> None:
        wait_for(lambda: (self.folder / "attempt").exists() and (self.run_dir / "attempt").exists())

    def wait_for_record(self) -> Facts:
        wait_for((self.folder / "exit").exists)
        return self.record()

    def record(self) -> Facts:
        found: Facts = json.loads((self.folder / "exit").read_bytes())
        return found

    def wait(self) -> int:
        """Return the status as a shell would give it."""
        return as_in_a_shell(self.process.wait(PATIENCE))

    def stream(self, prefix: str) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.folder.glob(f"{prefix}-*")))


@contextlib.contextmanager
def launched(
    launcher: Launcher,
    run_dir: Path,
    command: Sequence[str | bytes],
    *flags: str,
    **popen: Any,  # noqa: ANN401 - whatever Popen takes
) -> Iterator[Launched]:
    """Start a trainer; end all its processes at the end of the test."""
    process = subprocess.Popen([*launcher.run(run_dir, *flags), *command], **popen)
    try:
        yield Launched(process, run_dir)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def finished(
    launcher: Launcher,
    run_dir: Path,
    command: Sequence[str | bytes],
    *flags: str,
    **popen: Any,  # noqa: ANN401 - whatever Popen takes
) -> Launched:
    """Run a trainer to its end, without a hold."""
    with launched(launcher, run_dir, command, "--drain", "0", *flags, **popen) as ran:
        ran.process.wait(PATIENCE)
        return ran


def as_in_a_shell(returncode: int) -> int:
    return 128 - returncode if returncode < 0 else returncode


def wait_for(happened: Callable[[], object], patience: float = PATIENCE) -> None:
    until = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < until, f"waited {patience} s in vain"
        time.sleep(0.002)


def exists(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def python(code: str, *arguments: str) -> list[str]:
    """A trainer written in Python, quick to start."""
    return [sys.executable, "-I", "-S", "-c", code, *arguments]
