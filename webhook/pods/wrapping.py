"""The launcher before the trainer's command: written, and taken off again."""

from __future__ import annotations

from collections.abc import Sequence

from api.names import LAUNCH_FILE, RUN_DIR
from api.types import JsonObject
from webhook.model.images import literal

LAUNCHER = f"{RUN_DIR}/{LAUNCH_FILE}"
"""Where the sidecar installs it, and the trainer's container finds it."""
_END = "--"


def launcher_prefix(
    *, capture: bool, file: str, drain: int, grace: int, deadline: int | None
) -> tuple[str, ...]:
    """Return `launch run ... --`, as docs/launcher.md has it; times are in seconds.

    The kubelet expands variables in a command, so a file's name is written to survive that.
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
    """Put the launcher before a command, in place of one that is there already."""
    return (*words, *unwrapped(command))


def unwrapped(command: Sequence[str]) -> tuple[str, ...]:
    """Take the launcher off: nobody else has a program at this place."""
    if tuple(command[:2]) != (LAUNCHER, "run") or _END not in command:
        return tuple(command)
    return tuple(command[list(command).index(_END) + 1 :])


def command_of(container: JsonObject) -> tuple[str, ...]:
    """Return the texts of a container's `command`."""
    words = container.get("command")
    return tuple(w for w in words if isinstance(w, str)) if isinstance(words, list) else ()
