"""Check the free space on the disk of a state directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from api.errors import SetupError

PATIENCE = 10.0
"""How long the disk may be full, in seconds: a trial that fills it may fail and free space."""
_LEAST = 64 << 10


class DiskSpace:
    """Detects a disk that has been full for too long; `check` must be called often."""

    def __init__(self, place: Path, clock: Callable[[], float]) -> None:
        self._place, self._clock = place, clock
        self._full_since: float | None = None

    def check(self) -> None:
        """Check the disk.

        Raises:
            SetupError: the disk has been full for longer than PATIENCE.
        """
        found = os.statvfs(self._place)
        if found.f_bavail * found.f_frsize >= _LEAST:
            self._full_since = None
            return
        now = self._clock()
        self._full_since = now if self._full_since is None else self._full_since
        if now - self._full_since >= PATIENCE:
            raise SetupError(
                f"the disk of {self._place} is full, and metrics cannot be stored: make room, then"
                " run again; ended trials are stored"
            )
