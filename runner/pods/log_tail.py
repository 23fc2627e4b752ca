"""Read the end of a log, and create empty files for termination messages."""

from __future__ import annotations

import contextlib
from pathlib import Path


def tail(path: str, most: int) -> str:
    """Return the last whole lines of a file, at most `most` bytes; "" if the file is missing."""
    with contextlib.suppress(OSError), Path(path).open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - most))
        data = file.read(most)
        if size > most:
            data = data[data.find(b"\n") + 1 :]
        return data.decode(errors="replace").rstrip("\n")
    return ""


def make_empty(path: str) -> None:
    """Create an empty file, or empty an existing one."""
    Path(path).write_bytes(b"")
