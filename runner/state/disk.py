"""Whether there is room on the disk of a state directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from api.errors import SetupError

PATIENCE = 10.0
"""Seconds for which it may be full: a trial that fills it mostly fails, and makes room by that."""
_LEAST = 64 << 10


class Disk:
    """Looked at often; says when it has been full for too long."""

    def __init__(self, place: Path, clock: Callable[[], float]) -> None:
        self._place, self._clock = place, clock
        self._full_since: float | None = None

    def check(self) -> None:
        """Look.

        Raises:
            SetupError: nothing can be stored, and it will not get better by itself.
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
                " run again; trials that had ended are kept"
            )
