"""Read the objects of a state directory again and again: a file only when it was replaced."""

from __future__ import annotations

from pathlib import Path

from api.types import JsonObject
from runner.state.documents import read_document


class CachedDocuments:
    """Reads documents, and reads a file again only if it was replaced."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[object, JsonObject | None]] = {}

    def __call__(self, path: Path) -> JsonObject | None:
        """Return the object in a file; None if the file does not exist."""
        try:
            found = path.stat()
        except OSError:
            return None
        version = (found.st_ino, found.st_mtime_ns, found.st_size)
        if path not in self._known or self._known[path][0] != version:
            self._known[path] = (version, read_document(path))
        return self._known[path][1]
