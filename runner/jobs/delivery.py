"""The state of launcher and collector in a pod's run directory, read after their end."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from api.errors import TrialwatchError
from api.names import (
    ATTEMPTS_DIR,
    CHECKPOINT_FILE,
    CONTROL_FIFO,
    CONTROL_GAVE_UP,
    EXIT_FILE,
)
from api.run_directory import ExitRecord
from collector.core.checkpoint import Checkpoint


def last_exit(run_dir: Path) -> ExitRecord | None:
    """Return how the trainer's last start ended; None if it has not ended, or if unknown."""
    number = _newest(run_dir)
    with contextlib.suppress(OSError, TrialwatchError):
        return ExitRecord.from_json((run_dir / ATTEMPTS_DIR / str(number) / EXIT_FILE).read_bytes())
    return None


def delivered(run_dir: Path) -> bool:
    """Return whether all output of the trainer's last start is stored."""
    with contextlib.suppress(OSError, TrialwatchError):
        attempt = Checkpoint.from_json((run_dir / CHECKPOINT_FILE).read_bytes()).attempt
        return attempt is not None and attempt.finished and attempt.number >= _newest(run_dir)
    return False


def give_up(run_dir: Path, cause: str) -> None:
    """Send the launcher the order not to wait for the delivery."""
    fifo = run_dir / ATTEMPTS_DIR / str(_newest(run_dir)) / CONTROL_FIFO
    with contextlib.suppress(OSError):
        descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(descriptor, f"{CONTROL_GAVE_UP}{cause}\n".encode())
        finally:
            os.close(descriptor)


def _newest(run_dir: Path) -> int:
    with contextlib.suppress(OSError):
        names = [one.name for one in (run_dir / ATTEMPTS_DIR).iterdir()]
        return max((int(name) for name in names if name.isdecimal()), default=0)
    return 0
