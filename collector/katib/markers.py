"""The files by which a trainer that Katib has wrapped and its collector tell each other things."""

from __future__ import annotations

from posixpath import dirname, normpath

from api.names import MARKER_COMMAND, MARKER_COMPLETED, MARKER_EARLY_STOPPED, MARKER_SUFFIX
from collector.streams.files import FileSystem


class Markers:
    """The markers beside a metrics file: `DIRECTORY/PID.pid`, PID being the trainer's shell."""

    def __init__(self, path: str, files: FileSystem) -> None:
        """Look beside a metrics file."""
        self._directory = normpath(dirname(path)) if dirname(path) else "."
        self._files = files
        # As Katib's webhook writes it: nothing stands before a name in the current directory.
        self._start = "" if self._directory == "." else f"{self._directory.rstrip('/')}/"

    @property
    def words(self) -> str:
        """Return what stands in the command line of a trainer's shell, and in no other."""
        return f"{MARKER_COMMAND}{self._start}"

    def read(self, pid: int) -> str:
        """Return what a shell's marker says; nothing where there is none."""
        return self._read(self._path(pid))

    def read_any(self) -> str:
        """Return what the marker of a shell says whose number nobody knows."""
        said = {
            self._read(f"{self._start}{name}")
            for name in self._files.names(self._directory)
            if name.endswith(MARKER_SUFFIX) and name[: -len(MARKER_SUFFIX)].isdecimal()
        }
        return next((word for word in (MARKER_COMPLETED, MARKER_EARLY_STOPPED) if word in said), "")

    def write(self, pid: int) -> None:
        """Tell a shell that what it runs is ended by us.

        Raises:
            SetupError: we may not.
        """
        self._files.replace(self._path(pid), MARKER_EARLY_STOPPED.encode())

    def remove(self, pid: int) -> None:
        """Take it back."""
        self._files.unlink(self._path(pid))

    def _path(self, pid: int) -> str:
        return f"{self._start}{pid}{MARKER_SUFFIX}"

    def _read(self, path: str) -> str:
        text = self._files.read(path)
        return "" if text is None else text.decode("utf-8", "replace").strip()
