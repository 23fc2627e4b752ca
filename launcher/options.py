"""The command line. Without argparse, whose import takes longer than the rest of the start."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass

_RUN = (
    "python -m launcher run --run-dir DIR [--capture] [--file PATH] [--drain S] [--grace S] "
    "[--deadline S] [--unfollowed S] -- COMMAND..."
)
_SUPERVISE = "python -m launcher supervise -- COMMAND..."
_WORDS = "python -m launcher run|supervise ...; each prints its usage without arguments"
_SECONDS = re.compile(rb"\d+\.?\d*|\.\d+")


class UsageError(Exception):
    """The command line is wrong; the message says why, and shows the usage."""

    def __init__(self, fault: str, usage: str) -> None:
        super().__init__(f"{fault}\nusage: {usage}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of `run`. Times are in seconds."""

    command: tuple[bytes, ...]
    run_dir: bytes
    capture: bool = False
    """Copy the trainer's stdout and stderr into segments."""
    file: bytes | None = None
    """The file to which the trainer writes its metrics."""
    drain: float = 300
    """The longest wait for the delivery."""
    grace: float = 30
    """The pod's terminationGracePeriodSeconds."""
    deadline: float = math.inf
    """The pod's activeDeadlineSeconds."""
    unfollowed: float = 60
    """The longest wait for the delivery if no collector has written `following`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperviseOptions:
    """The options of `supervise`."""

    command: tuple[bytes, ...]


def requested_help(arguments: list[bytes]) -> str | None:
    """Return the usage if `--help` or `-h` comes first, or directly after the command's word."""
    match arguments:
        case [b"--help" | b"-h", *_]:
            return f"usage: {_WORDS}\n"
        case [b"run", b"--help" | b"-h", *_]:
            return f"usage: {_RUN}\n"
        case [b"supervise", b"--help" | b"-h", *_]:
            return f"usage: {_SUPERVISE}\n"
        case _:
            return None


def parse(arguments: list[bytes]) -> RunOptions | SuperviseOptions:
    """Read the arguments.

    Raises:
        UsageError: they are wrong.
    """
    match arguments:
        case [b"run", *rest]:
            return _run(rest)
        case [b"supervise", *rest]:
            return SuperviseOptions(command=_command(rest, _SUPERVISE))
        case [word, *_]:
            raise UsageError(f"unknown command: {os.fsdecode(word)}", _WORDS)
        case _:
            raise UsageError("a command is missing", _WORDS)


def _run(rest: list[bytes]) -> RunOptions:
    texts: dict[str, bytes] = {}
    times: dict[str, float] = {}
    capture = False
    while rest and rest[0].startswith(b"--") and rest[0] != b"--":
        flag, equals, value = rest.pop(0).partition(b"=")
        name = os.fsdecode(flag[2:]).replace("-", "_")
        if flag == b"--capture" and not equals:
            capture = True
            continue
        if flag not in _FLAGS:
            raise UsageError(f"unknown flag {os.fsdecode(flag + equals + value)}", _RUN)
        if not equals and rest:
            value = rest.pop(0)
        if value in {b"", b"--"}:
            raise UsageError(f"a value is missing after {os.fsdecode(flag)}", _RUN)
        if flag in _TEXTS:
            texts[name] = value
        else:
            times[name] = _seconds(value)
    command = _command(rest, _RUN)
    if "run_dir" not in texts:
        raise UsageError("--run-dir is missing", _RUN)
    return RunOptions(
        command=command,
        run_dir=texts["run_dir"],
        file=texts.get("file"),
        capture=capture,
        **times,
    )


_TEXTS = frozenset({b"--run-dir", b"--file"})
_FLAGS = _TEXTS | {b"--drain", b"--grace", b"--deadline", b"--unfollowed"}


def _seconds(text: bytes) -> float:
    if not _SECONDS.fullmatch(text):
        fault = f"times are in seconds, such as 30 or 0.5, not {os.fsdecode(text)}"
        raise UsageError(fault, _RUN)
    return float(text)


def _command(rest: list[bytes], usage: str) -> tuple[bytes, ...]:
    if not rest:
        raise UsageError("there is no `--` and no command", usage)
    if rest[0] != b"--":
        raise UsageError(f"put `--` before the command: {os.fsdecode(rest[0])}", usage)
    if not rest[1:]:
        raise UsageError("there is no command after `--`", usage)
    return tuple(rest[1:])
