"""Where the checkpoint is kept."""

from __future__ import annotations

from collector.core.checkpoint import Attempt, Checkpoint
from collector.streams.files import FileSystem


class Journal:
    """The file `checkpoint`, or nothing, where no crash is to be survived."""

    def __init__(self, path: str | None, files: FileSystem) -> None:
        """Keep it at a path."""
        self._path = path
        self._files = files

    def load(self) -> Attempt | None:
        """Return the attempt at hand.

        Raises:
            SetupError: the file is none of ours, or cannot be read.
        """
        text = self._files.read(self._path) if self._path else None
        return None if text is None else Checkpoint.from_json(text).attempt

    def save(self, attempt: Attempt) -> None:
        """Keep it before anything that depends on it is done."""
        if self._path:
            self._files.replace(self._path, Checkpoint(attempt=attempt).to_json())
