"""Katib's marker files, by which a wrapped trainer and its collector exchange their state."""

from __future__ import annotations

from posixpath import dirname, normpath

from api.names import MARKER_COMMAND, MARKER_COMPLETED, MARKER_EARLY_STOPPED, MARKER_SUFFIX
from collector.streams.files import FileSystem


class Markers:
    """The markers beside a metrics file: `DIRECTORY/PID.pid`, PID being that of the shell."""

    def __init__(self, path: str, files: FileSystem) -> None:
        """Use the directory of this metrics file."""
        self._directory = normpath(dirname(path)) if dirname(path) else "."
        self._files = files
        # As Katib's webhook writes it: in the current directory a name has no prefix.
        self._start = "" if self._directory == "." else f"{self._directory.rstrip('/')}/"

    @property
    def words(self) -> str:
        """Return a text that only the command line of a trainer's shell contains."""
        return f"{MARKER_COMMAND}{self._start}"

    def read(self, pid: int) -> str:
        """Return the word in a shell's marker; empty without a marker."""
        return self._read(self.path(pid))

    def read_any(self) -> str:
        """Return the word in any shell's marker; for a shell whose pid is unknown."""
        contents = {
            self._read(f"{self._start}{name}")
            for name in self._files.names(self._directory)
            if name.endswith(MARKER_SUFFIX) and name[: -len(MARKER_SUFFIX)].isdecimal()
        }
        known = (MARKER_COMPLETED, MARKER_EARLY_STOPPED)
        return next((word for word in known if word in contents), "")

    def path(self, pid: int) -> str:
        """Return the path of a shell's marker, as it is in the shell's command."""
        return f"{self._start}{pid}{MARKER_SUFFIX}"

    def write(self, pid: int) -> None:
        """Tell a shell that the collector ends its trainer.

        Raises:
            SetupError: the marker cannot be written.
        """
        self._files.replace(self.path(pid), MARKER_EARLY_STOPPED.encode())

    def remove(self, pid: int) -> None:
        """Remove a shell's marker."""
        self._files.unlink(self.path(pid))

    def _read(self, path: str) -> str:
        text = self._files.read(path)
        return "" if text is None else text.decode("utf-8", "replace").strip()
