"""A directory that the trainer may write to, and the collector only looks at with care.

The trainer may put anything there, at any moment: links to the sidecar's own files, FIFOs, devices.
So no path of it is ever given to the kernel as a whole. What is opened is below the directory
(`collector.beneath`), and the caller sees what kind of file it is before it uses it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from posixpath import abspath

from collector.beneath import DIRECTORY, open_beneath


@dataclass(frozen=True, slots=True)
class SharedVolume:
    """A directory, its links included. Its own path leads where the pod's specification says."""

    directory: str
    links: bool = False
    """Links are followed if they are relative, and stay below the directory."""

    def has(self, path: str) -> bool:
        """Return whether a path is below the directory, or the directory itself."""
        return f"{abspath(path)}/".startswith(f"{abspath(self.directory).rstrip('/')}/")

    def open(self, path: str, flags: int) -> int:
        """Open an existing file; return its descriptor.

        Raises:
            OSError: its `errno` is one of `beneath.LEAVES` if the path leaves the directory.
        """
        root = os.open(self.directory, DIRECTORY)
        try:
            inner = abspath(path)[len(abspath(self.directory)) :].lstrip("/") or "."
            return open_beneath()(root, inner, flags, links=self.links)
        finally:
            os.close(root)

    @property
    def rule(self) -> str:
        """Return why a path is refused, and what to do."""
        if self.links:
            return (
                f"a symbolic link leads out of {self.directory}. Let the link be relative, and its"
                " target in the same volume"
            )
        return (
            "it is a symbolic link. Only the launcher and the collector may write in"
            f" {self.directory}"
        )
