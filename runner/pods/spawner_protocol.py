"""What the runner says to its spawner, and what it hears: one line of JSON each.

Orders go down a stream. Reports come up a pipe that all shims write to, each line in one write of
at most `PIPE_BUF` bytes, so that lines of several writers never mix.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeVar

from runner.pods.places import Bind

LONGEST_REPORT = 4096
_LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Start a container."""

    id: str
    """Never used twice."""
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    log: str
    """The file that takes stdout and stderr, in the order in which they were written."""
    binds: tuple[Bind, ...] = ()
    staging: str = ""
    """An empty directory, wanted where there are binds."""
    program: str = ""
    """What must be found in PATH before anything is started; the launcher's own command."""
    collector: bool = False
    """Run the collector, which the spawner has loaded already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Send a signal to a container's first process; SIGKILL is for all of its processes."""

    id: str
    number: int


Order = Launch | Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The spawner takes orders. `no_mounts` says why there can be no mounts, if so."""

    no_mounts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A container's process runs."""

    id: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A container could not be started."""

    id: str
    why: str
    missing: bool = False
    """Its program is not on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A container has ended, and nothing of it is left."""

    id: str
    status: int
    """As a shell has it: 128 + N for death by signal N."""
    signal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A shim has ended; the last word of its container."""

    id: str


Report = Ready | Started | Refused | Ended | Gone

_ORDERS: Mapping[str, type[Order]] = {kind.__name__: kind for kind in (Launch, Signal)}
_REPORTS: Mapping[str, type[Report]] = {
    kind.__name__: kind for kind in (Ready, Started, Refused, Ended, Gone)
}
_T = TypeVar("_T")


def to_line(what: Order | Report) -> bytes:
    """Write one."""
    told = {key: _short(value) if key == "why" else value for key, value in asdict(what).items()}
    return json.dumps({"kind": type(what).__name__, **told}).encode() + b"\n"


def order_from(line: bytes) -> Order:
    """Read an order.

    Raises:
        ValueError: the line is not an order.
    """
    return _read(line, _ORDERS, "an order")


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
            fields["binds"] = tuple(Bind(**bind) for bind in fields["binds"])
        return kind(**fields)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"not {wanted}: {line[:100]!r}") from error


def _short(text: object) -> object:
    return text[:_LONGEST_TEXT] if isinstance(text, str) else text


@dataclass(slots=True)
class Lines:
    """Puts lines together from what comes in pieces."""

    _rest: bytes = field(default=b"")

    def feed(self, data: bytes) -> list[bytes]:
        """Take a piece; return the lines that are whole now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines
