"""What a collector must know after a crash, as values and as one line of JSON.

The checkpoint is written before a batch is sent, and says which bytes it was made of. Whoever
comes back makes the same batch of the same bytes and sends it under the same number; the store
takes it once. Where those bytes are gone the number is gone with them: another batch under it
might be taken for a repeat.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from api.errors import SetupError
from collector.core.batches import Known
from collector.streams.stream_position import Gap, Place
from filters.extractor import Position
from filters.tables import TableHeader

VERSION = 1
MOST_GAPS = 50
"""So many are remembered one by one; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A batch that may have been sent, and may have been stored."""

    sequence: int
    reading_time: int
    """In microseconds since 1970."""
    stream: str = ""
    """Empty for an attempt's last report, which is made of no bytes."""
    start: Place = field(default_factory=Place)
    """Where in the stream the batch begins."""
    end: Place = field(default_factory=Place)
    """Where the stream goes on."""
    digest: str = ""
    """Of the points: other bytes may have come to stand in the same place."""
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One start of the trainer, as far as it is delivered."""

    number: int
    source: str
    """The id under which it reports."""
    sequence: int = 0
    """The last number used."""
    in_flight: InFlight | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    """By stream."""
    known: Known = field(default_factory=Known)
    gaps: tuple[Gap, ...] = ()
    more_gaps: int = 0
    refused: str | None = None
    """Why the store refused a report, the last time it did."""
    reported: bool = False
    """The last report is acknowledged."""
    settled: bool = False
    """The early-stopping service has been told, or need not be."""
    finished: bool = False
    """The launcher may go; the next attempt may begin."""
    outcome: str | None = None
    """How it ended, once it is finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """All of it. Attempts before the one at hand are finished."""

    attempt: Attempt | None = None

    def to_json(self) -> bytes:
        """Write it, on one line."""
        told = {"version": VERSION, **asdict(self)}
        return json.dumps(told, default=sorted).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes) -> Checkpoint:
        """Read it.

        Raises:
            SetupError: it is damaged, or another program's.
        """
        try:
            told = json.loads(text)
            if told.pop("version") != VERSION:
                raise ValueError("of another version")  # noqa: TRY301 - all faults end alike
            found: Checkpoint = _read(cls, told)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
            raise SetupError(
                f"the checkpoint is none of this collector's ({fault}), it begins {text[:80]!r}: "
                "give this run a run directory of its own, or remove the file `checkpoint` "
                "and accept that points are stored twice"
            ) from fault
        return found


def _read(kind: Any, told: Any) -> Any:  # noqa: ANN401 - any field's type, any JSON value
    """Return the JSON value as the type that a field has; raise ValueError where it is not one."""
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        (other,) = (one for one in inner if one is not NoneType)
        return None if told is None else _read(other, told)
    if is_dataclass(kind):
        hints = get_type_hints(kind, localns=_UNSAID)
        if told.keys() != {each.name for each in fields(kind)}:
            raise ValueError(f"wrong fields of a {getattr(kind, '__name__', kind)}")
        return kind(**{name: _read(hints[name], value) for name, value in told.items()})  # type: ignore[operator]  # a class, says `get_type_hints`
    if origin in _CONTAINERS:
        return _CONTAINERS[origin](inner, told)
    if kind is float and type(told) is int:
        return float(told)
    if type(told) is not kind:
        raise ValueError(f"{told!r} is no {kind}")
    return told


def _tuple(inner: tuple[Any, ...], told: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any JSON
    kinds = [inner[0]] * len(told) if inner[-1] is Ellipsis else inner
    return tuple(_read(kind, one) for kind, one in zip(kinds, _list(told), strict=True))


def _list(told: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(told, list):
        raise TypeError(f"{told!r} is no list")
    return told


_CONTAINERS: dict[Any, Callable[[tuple[Any, ...], Any], Any]] = {
    tuple: _tuple,
    frozenset: lambda inner, told: frozenset(_read(inner[0], one) for one in _list(told)),
    Mapping: lambda inner, told: {key: _read(inner[1], value) for key, value in told.items()},
}
# `filters.extractor` and others import these for their annotations only.
_UNSAID = {"TableHeader": TableHeader, "Mapping": Mapping, "Position": Position}
