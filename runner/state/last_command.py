"""The command line of the last run, stored beside its objects, so that messages can repeat it."""

from __future__ import annotations

import contextlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from api.documents import items_at, text_at
from runner.state.documents import write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCommand:
    """A command line, and the directory in which it was called."""

    words: tuple[str, ...]
    directory: str

    def line(self, here: str) -> str:
        """Return the line to type in the directory `here`."""
        line = shlex.join(self.words)
        return line if here == self.directory else f"cd {shlex.quote(self.directory)} && {line}"


def write_command(path: Path, command: LastCommand) -> None:
    """Store a command.

    Raises:
        SetupError: the file cannot be written.
    """
    content = {"directory": command.directory, "command": list(command.words)}
    write_text(path, json.dumps(content) + "\n")


def read_command(path: Path) -> LastCommand | None:
    """Read a command; None if it is not stored, or not readable."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        words = tuple(str(word) for word in items_at(content, "command"))
        if words:
            return LastCommand(words=words, directory=text_at(content, "directory"))
    return None
