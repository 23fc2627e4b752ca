"""Puts the launcher in front of a trainer's command, and removes it again."""

from __future__ import annotations

from collections.abc import Sequence

from api.documents import items_at
from api.names import LAUNCH_FILE, RUN_DIR
from api.types import JsonObject
from webhook.model.images import literal

LAUNCHER = f"{RUN_DIR}/{LAUNCH_FILE}"
"""Where the sidecar installs the launcher, in the volume that both containers mount."""
_END = "--"


def launcher_prefix(
    *, capture: bool, file: str, drain: int, grace: int, deadline: int | None
) -> tuple[str, ...]:
    """Return `launch run ... --` (docs/launcher.md); times are in seconds.

    The kubelet expands variables in a command, so the path of the file is escaped.
    """
    words = [LAUNCHER, "run", "--run-dir", RUN_DIR]
    if capture:
        words.append("--capture")
    if file:
        words += ["--file", literal(file)]
    words += ["--drain", str(drain), "--grace", str(grace)]
    if deadline is not None:
        words += ["--deadline", str(deadline)]
    return (*words, _END)


def wrapped(command: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Put the launcher in front of a command; replaces a launcher that is already there."""
    return (*words, *unwrapped(command))


def unwrapped(command: Sequence[str]) -> tuple[str, ...]:
    """Remove the launcher: no other program has its path."""
    if tuple(command[:2]) != (LAUNCHER, "run") or _END not in command:
        return tuple(command)
    return tuple(command[list(command).index(_END) + 1 :])


def command_of(container: JsonObject) -> tuple[str, ...]:
    """Return the texts of a container's `command`."""
    return tuple(word for word in items_at(container, "command") if isinstance(word, str))
