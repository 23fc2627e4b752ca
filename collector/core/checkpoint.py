"""The state that a collector needs after a crash, as values and as one line of JSON.

The checkpoint is written before a batch is sent, and names the bytes of the batch. After a crash
the next collector makes the same batch of the same bytes, and sends it with the same number. The
store accepts each number once. If these bytes are destroyed, their number is not used again: the
store might take another batch with this number for a repeat.

The names of the fields are the keys of the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from api.errors import SetupError
from collector.core.batches import CarryOver
from collector.streams.stream_position import Gap, StreamPosition
from filters.extractor import Position

VERSION = 1
MOST_GAPS = 50
"""Gaps that are kept one by one; further gaps are only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A batch that may have been sent, and may have been stored."""

    sequence: int
    reading_time: int
    """In microseconds since 1970."""
    stream: str = ""
    """Empty for an attempt's last report, which needs no bytes."""
    start: StreamPosition = field(default_factory=StreamPosition)
    """Where in the stream the batch begins."""
    end: StreamPosition = field(default_factory=StreamPosition)
    """Where the stream continues."""
    digest: str = ""
    """A digest of the points: other bytes may later stand at the same position."""
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One start of the trainer, and how far it is delivered."""

    number: int
    source: str
    """The id of its reports."""
    sequence: int = 0
    """The number of the last report."""
    in_flight: InFlight | None = None
    places: Mapping[str, StreamPosition] = field(default_factory=dict)
    """Positions by stream: the start of what is not delivered yet."""
    known: CarryOver = field(default_factory=CarryOver)
    gaps: tuple[Gap, ...] = ()
    more_gaps: int = 0
    refused: str | None = None
    """Why the store refused a report, the last time; None if it never did."""
    reported: bool = False
    """The store has acknowledged the last report."""
    settled: bool = False
    """The early stop is reported to the service, or the report was given up."""
    finished: bool = False
    """The launcher may exit; the next attempt may begin."""
    outcome: str | None = None
    """The outcome, once the attempt is finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The whole checkpoint. All attempts before this one are finished."""

    attempt: Attempt | None = None

    def to_json(self) -> bytes:
        """Return it as one line of JSON."""
        document = {"version": VERSION, "attempt": self.attempt}
        return json.dumps(document, default=_plain).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes) -> Checkpoint:
        """Read it from JSON.

        Raises:
            SetupError: it is damaged, or of another program.
        """
        try:
            document = json.loads(text)
            if document.pop("version") != VERSION:
                raise ValueError("another version")  # noqa: TRY301 - all faults have one message
            checkpoint: Checkpoint = _read(cls, document)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
            raise SetupError(
                f"cannot read the checkpoint ({fault}); it begins {text[:80]!r}: "
                "give this run a run directory of its own, or remove the file `checkpoint` "
                "and accept that points are stored twice"
            ) from fault
        return checkpoint


def _plain(value: Any) -> Any:  # noqa: ANN401 - what json cannot write by itself
    """Return a dataclass as its fields, and a set as a list."""
    if isinstance(value, frozenset):
        return sorted(value)
    return {name: getattr(value, name) for name in _names_of(cast("Any", type(value)))}


@cache
def _names_of(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a dataclass
    return tuple(each.name for each in fields(kind))


@cache
def _hints_of(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    """Return the type of each field: evaluating them takes longer than all other work here."""
    hints = get_type_hints(kind, localns=_local_names())
    return {name: hints[name] for name in _names_of(kind)}


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401 - any field's type, any JSON value
    """Return a JSON value as the type of a field; raise ValueError where it does not fit."""
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        (other,) = (kind for kind in inner if kind is not NoneType)
        return None if value is None else _read(other, value)
    if is_dataclass(kind):
        hints = _hints_of(cast("Any", kind))
        if value.keys() | _LATER_FIELDS.get(kind, set()) != hints.keys():
            raise ValueError(f"wrong fields of a {getattr(kind, '__name__', kind)}")
        return kind(**{name: _read(hints[name], field) for name, field in value.items()})  # type: ignore[operator]  # a class, says `get_type_hints`
    if origin in _CONTAINERS:
        return _CONTAINERS[origin](inner, value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{value!r} is not a {kind.__name__}")
    return value


def _tuple(inner: tuple[Any, ...], value: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any JSON
    kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
    return tuple(_read(kind, item) for kind, item in zip(kinds, _list(value), strict=True))


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


_CONTAINERS: dict[Any, Callable[[tuple[Any, ...], Any], Any]] = {
    tuple: _tuple,
    frozenset: lambda inner, value: frozenset(_read(inner[0], item) for item in _list(value)),
    Mapping: lambda inner, value: {key: _read(inner[1], item) for key, item in value.items()},
}
# Checkpoints of earlier versions do not have these; their defaults are right there.
_LATER_FIELDS: dict[Any, set[str]] = {Position: {"skip", "step_state"}}


def _local_names() -> dict[str, Any]:
    """Return what `filters.extractor` and others import only for type checking."""
    from filters.tables import TableHeader  # noqa: PLC0415 - takes 10 ms, and is for a crash

    return {"TableHeader": TableHeader, "Mapping": Mapping, "Position": Position}
