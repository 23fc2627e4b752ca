"""The launcher's control FIFO; docs/launcher.md specifies its lines."""

from __future__ import annotations

import errno
import os
import stat

from api.names import (
    ATTEMPTS_DIR,
    CONTROL_DELIVERED,
    CONTROL_FIFO,
    CONTROL_FOLLOWING,
    CONTROL_GAVE_UP,
    CONTROL_STOP,
)
from collector.beneath import LEAVES
from collector.shared_volume import SharedVolume

_NO_LAUNCHER = (errno.ENXIO, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, *LEAVES)
"""The errors without a launcher, or with something else at the path of its FIFO."""
_LONGEST_CAUSE = 1_000
"""Characters; a line must fit into one write to a pipe (4096 bytes) in any script."""


class ControlFifo:
    """`collector.launched_trainer.LauncherControl` on the file system."""

    def __init__(self, run_dir: str) -> None:
        """Write to the launchers of a run directory."""
        self._run_dir = run_dir
        self._volume = SharedVolume(run_dir)

    def alive(self, attempt: int) -> bool:
        """Return whether a launcher has the FIFO open."""
        return self._write(attempt, "")

    def following(self, attempt: int) -> bool:
        """Send that the collector follows the attempt."""
        return self._write(attempt, f"{CONTROL_FOLLOWING}\n")

    def stop(self, attempt: int) -> bool:
        """Send that the trainer must stop."""
        return self._write(attempt, f"{CONTROL_STOP}\n")

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        """Send that all is stored, or why it will not be."""
        if gave_up is None:
            return self._write(attempt, f"{CONTROL_DELIVERED}\n")
        cause = " ".join(gave_up.split())[:_LONGEST_CAUSE]
        return self._write(attempt, f"{CONTROL_GAVE_UP}{cause}\n")

    def _write(self, attempt: int, line: str) -> bool:
        path = f"{self._run_dir}/{ATTEMPTS_DIR}/{attempt}/{CONTROL_FIFO}"
        try:
            fifo = self._volume.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in _NO_LAUNCHER:
                return False
            raise
        try:
            if not stat.S_ISFIFO(os.fstat(fifo).st_mode):
                return False
            os.write(fifo, line.encode("utf-8", "replace"))
        except BlockingIOError:
            return True  # the FIFO is full, so the launcher is alive; important lines are repeated
        except BrokenPipeError:
            return False
        finally:
            os.close(fifo)
        return True
