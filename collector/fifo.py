"""The launcher's FIFO, as docs/launcher.md tells it."""

from __future__ import annotations

import errno
import os

from api.names import (
    ATTEMPTS_DIR,
    CONTROL_DELIVERED,
    CONTROL_FIFO,
    CONTROL_FOLLOWING,
    CONTROL_GAVE_UP,
    CONTROL_STOP,
)

_LONGEST_CAUSE = 1_000
"""Characters: a line must go into a pipe at once (4096 bytes), whatever they are."""


class Fifo:
    """`collector.launched.Line` on the file system."""

    def __init__(self, run_dir: str) -> None:
        """Speak to the launchers of a run directory."""
        self._run_dir = run_dir

    def alive(self, attempt: int) -> bool:
        """Say whether a launcher has the FIFO open."""
        return self._write(attempt, "")

    def following(self, attempt: int) -> bool:
        """Say that the attempt is read."""
        return self._write(attempt, f"{CONTROL_FOLLOWING}\n")

    def stop(self, attempt: int) -> bool:
        """Ask for the trainer's end."""
        return self._write(attempt, f"{CONTROL_STOP}\n")

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        """Say that all is stored, or why it never will be."""
        if gave_up is None:
            return self._write(attempt, f"{CONTROL_DELIVERED}\n")
        cause = " ".join(gave_up.split())[:_LONGEST_CAUSE]
        return self._write(attempt, f"{CONTROL_GAVE_UP}{cause}\n")

    def _write(self, attempt: int, line: str) -> bool:
        path = f"{self._run_dir}/{ATTEMPTS_DIR}/{attempt}/{CONTROL_FIFO}"
        try:
            fifo = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENOENT, errno.ENOTDIR):
                return False
            raise
        try:
            os.write(fifo, line.encode("utf-8", "replace"))
        except BlockingIOError:
            return True  # it is alive, and has not read for long; what matters is said again
        except BrokenPipeError:
            return False
        finally:
            os.close(fifo)
        return True
