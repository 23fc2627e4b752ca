"""The file that holds the checkpoint."""

from __future__ import annotations

from collector.core.checkpoint import Attempt, Checkpoint
from collector.streams.files import FileSystem


class CheckpointFile:
    """The file `checkpoint`. Without a path nothing is saved, and a crash loses the state."""

    def __init__(self, path: str | None, files: FileSystem) -> None:
        """Use this path, or none."""
        self._path = path
        self._files = files

    def load(self) -> Attempt | None:
        """Return the current attempt; None if there is none.

        Raises:
            SetupError: the file cannot be read, or is not a checkpoint.
        """
        text = self._files.read(self._path) if self._path else None
        return None if text is None else Checkpoint.from_json(text).attempt

    def save(self, attempt: Attempt) -> None:
        """Save the attempt; callers save it before they act on it."""
        if self._path:
            self._files.replace(self._path, Checkpoint(attempt=attempt).to_json())
