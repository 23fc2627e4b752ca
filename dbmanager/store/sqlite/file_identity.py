"""Notices that the file of an open database is not at its path any more."""

from __future__ import annotations

from pathlib import Path

from api.errors import Unavailable


class FileIdentity:
    """Which file a path named when the database was opened."""

    def __init__(self, path: Path, name: str) -> None:
        """Remember the file at the path; `name` is the database's name in messages."""
        self._path, self._name = path, name
        self._file = self._at_path()

    def check(self) -> None:
        """Return if the file is still at its path.

        Raises:
            Unavailable: it was moved away or deleted; what is written into it now is lost.
        """
        if self._at_path() != self._file:
            raise Unavailable(
                f"{self._name} was moved away or deleted while it was open: put the file back, or"
                " start the DB manager anew with the file that is at this path now"
            )

    def _at_path(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
