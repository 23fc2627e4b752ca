"""A file beside the database that keeps room on the disk, so that deletes work on a full disk."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 8 * 1024 * 1024
_SUFFIX: Final = "-reserve"


class Reserve:
    """The reserve of one database file."""

    def __init__(self, database: Path, size: int = RESERVE_BYTES) -> None:
        """Keep `size` bytes beside the database; with 0, keep none."""
        self._path = database.with_name(f"{database.name}{_SUFFIX}")
        self._size = size

    def keep(self) -> bool:
        """Take the room on the disk, unless it is taken; return whether it is taken now."""
        if not self._size:
            return True
        try:
            if self._path.exists() and self._path.stat().st_size == self._size:
                return True
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:  # no room, or a file system that cannot do it
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the room back to the disk."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
