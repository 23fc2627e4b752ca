"""The messages between runner and spawner: one line of JSON each.

Commands go to the spawner through a stream. Reports come back through a pipe that all shims write
to. Each line is one write of at most `PIPE_BUF` bytes, so that lines of several writers never mix.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeVar

from runner.pods.bind_mounts import BindMount

LONGEST_REPORT = 4096
_LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Start a container."""

    id: str
    """Unique for each start."""
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    log: str
    """The file for stdout and stderr, in the order of writing."""
    binds: tuple[BindMount, ...] = ()
    staging: str = ""
    """An empty directory; required if there are binds."""
    program: str = ""
    """The program that must be in PATH before the start: the command of the launcher."""
    collector: bool = False
    """Whether to run the collector, which the spawner has already loaded."""
    affinity: tuple[int, ...] = ()
    """The CPUs on which the container may run; empty means those of the spawner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Send a signal to a container's first process; SIGKILL goes to all its processes."""

    id: str
    number: int


Command = Launch | Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The spawner accepts commands. `no_mounts`: why mounts are not possible; None if they are."""

    no_mounts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A container has started."""

    id: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A container could not be started."""

    id: str
    why: str
    missing: bool = False
    """Whether its program is not on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A container and all its processes have ended."""

    id: str
    status: int
    """The exit status; 128 + N after signal N, as in a shell."""
    signal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A shim has ended; this is the last report of its container."""

    id: str


Report = Ready | Started | Refused | Ended | Gone

_COMMANDS: Mapping[str, type[Command]] = {kind.__name__: kind for kind in (Launch, Signal)}
_REPORTS: Mapping[str, type[Report]] = {
    kind.__name__: kind for kind in (Ready, Started, Refused, Ended, Gone)
}
_T = TypeVar("_T")


def to_line(what: Command | Report) -> bytes:
    """Return a message as one line of JSON."""
    parts = {key: _short(value) if key == "why" else value for key, value in asdict(what).items()}
    return json.dumps({"kind": type(what).__name__, **parts}).encode() + b"\n"


def command_from(line: bytes) -> Command:
    """Read a command.

    Raises:
        ValueError: the line is not a command.
    """
    return _read(line, _COMMANDS, "a command")


def report_from(line: bytes) -> Report:
    """Read a report.

    Raises:
        ValueError: the line is not a report.
    """
    return _read(line, _REPORTS, "a report")


def _read(line: bytes, kinds: Mapping[str, type[_T]], wanted: str) -> _T:
    try:
        fields = json.loads(line)
        kind = kinds[fields.pop("kind")]
        if kind is Launch:
            fields["argv"] = tuple(fields["argv"])
            fields["affinity"] = tuple(fields["affinity"])
            fields["binds"] = tuple(BindMount(**bind) for bind in fields["binds"])
        return kind(**fields)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"not {wanted}: {line[:100]!r}") from error


def _short(text: object) -> object:
    return text[:_LONGEST_TEXT] if isinstance(text, str) else text


@dataclass(slots=True)
class LineBuffer:
    """Joins pieces of a stream to whole lines."""

    _rest: bytes = field(default=b"")

    def feed(self, data: bytes) -> list[bytes]:
        """Add a piece; return the lines that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines
