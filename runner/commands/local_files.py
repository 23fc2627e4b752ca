"""The files of this machine, as a port: whether they exist, and which are near."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

_MOST_FILES = 2000
"""The most files that are compared with a missing one."""
_DEEPEST = 3
_SKIPPED = ("node_modules", "site-packages", "__pycache__")


class Files(Protocol):
    """The port; paths are absolute."""

    def missing(self, path: str) -> bool:
        """Return whether a path certainly does not exist; false if it cannot be looked up."""

    def is_file(self, path: str) -> bool:
        """Return whether a path is a file."""

    def executable(self, path: str) -> bool:
        """Return whether a path is a file that this user may execute."""

    def names(self, folder: str) -> Sequence[str]:
        """Return the names in a folder; none if it cannot be read."""

    def below(self, folder: str) -> Sequence[str]:
        """Return the relative paths of files below a folder, the nearest first; not all of many."""


class LocalFiles:
    """The port over this machine."""

    def missing(self, path: str) -> bool:
        """Return whether a path certainly does not exist."""
        try:
            Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except (OSError, ValueError):
            return False
        return False

    def is_file(self, path: str) -> bool:
        """Return whether a path is a file."""
        try:
            return stat.S_ISREG(Path(path).stat().st_mode)
        except (OSError, ValueError):
            return False

    def executable(self, path: str) -> bool:
        """Return whether a path is a file that this user may execute."""
        return self.is_file(path) and os.access(path, os.X_OK)

    def names(self, folder: str) -> Sequence[str]:
        """Return the names in a folder."""
        try:
            return sorted(path.name for path in Path(folder).iterdir())
        except OSError:
            return ()

    def below(self, folder: str) -> Sequence[str]:
        """Return the relative paths of files below a folder."""
        found: list[str] = []
        for path in _walk(Path(folder)):
            found.append(str(path.relative_to(folder)))
            if len(found) >= _MOST_FILES:
                break
        return found


def _walk(root: Path) -> Iterator[Path]:
    """Yield files, level by level; hidden folders and those of packages are left out."""
    level = [root]
    for _ in range(_DEEPEST):
        deeper: list[Path] = []
        for folder in level:
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if entry.is_file():
                    yield Path(entry.path)
                elif (
                    entry.is_dir(follow_symlinks=False)
                    and not entry.name.startswith(".")
                    and entry.name not in _SKIPPED
                ):
                    deeper.append(Path(entry.path))
        level = deeper
