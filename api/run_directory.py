"""The records that the launcher writes into a run directory: one line of JSON in each file.

`api.names` has the names of the files; docs/launcher.md says when each file is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final

from api.errors import RemoteError

SEGMENT_BYTES: Final = 1 << 20
"""The size of each segment of a stream, except the last one."""

TAIL_BYTES: Final = 64

# The trainer may write into the run directory too, so a record may have any content.
_FAULTS = (ValueError, TypeError, KeyError, OverflowError, RecursionError)
_EXIT_TYPES: Mapping[str, tuple[type, ...]] = {
    "attempt": (int,),
    "status": (int, NoneType),
    "signal": (int, NoneType),
    "complete": (bool,),
    "cause": (str, NoneType),
    "stopped": (bool,),
}
_LAST_SECOND = 253_402_300_800.0
"""The end of the year 9999."""
_LONGEST = 1_000
"""Characters of a text that a message shows, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBorder:
    """Where a user's file ended when an attempt started: earlier attempts wrote the part before."""

    inode: int
    size: int
    """In bytes."""
    tail: bytes = b""
    """Up to `TAIL_BYTES` bytes before that end; if they change, the file was overwritten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """The content of the file `attempt`: one start of the trainer."""

    number: int
    started: float
    """Seconds since the epoch."""
    file: FileBorder | None = None
    """None if the trainer's output is captured, or if the file did not exist yet."""

    def to_json(self) -> bytes:
        """Return the record as one line of JSON."""
        border = self.file and {
            "inode": self.file.inode,
            "size": self.file.size,
            "tail": self.file.tail.hex(),
        }
        return _line({"attempt": self.number, "started": self.started, "file": border})

    @classmethod
    def from_json(cls, text: bytes) -> AttemptRecord:
        """Read a record of either launcher; raises RemoteError if it is invalid."""
        try:
            found = json.loads(text)
            file = found["file"]
            border = file and FileBorder(
                inode=_count(file["inode"]),
                size=_count(file["size"]),
                tail=bytes.fromhex(file["tail"]),
            )
            started = float(found["started"])
            if not 0 <= started < _LAST_SECOND:
                raise ValueError("started")
            return cls(number=_count(found["attempt"]), started=started, file=border or None)
        except _FAULTS as fault:
            raise RemoteError(
                f"the launcher's attempt record is invalid: {_shown(text)}"
            ) from fault


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRecord:
    """The content of the file `exit`: how an attempt ended. Either `status` or `signal` is set."""

    attempt: int
    status: int | None
    signal: int | None
    ended: float
    """When the trainer's own process ended, in seconds since the epoch."""
    leftovers: int
    """How many processes the trainer left behind; the launcher killed them."""
    complete: bool
    """Whether the segments contain everything that the trainer wrote."""
    cause: str | None
    """Why `complete` is false; else None."""
    stopped: bool
    """Whether the collector requested the end; the container's exit status is then 0."""

    def to_json(self) -> bytes:
        """Return the record as one line of JSON."""
        return _line({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: bytes) -> ExitRecord:
        """Read a record of either launcher; raises RemoteError if it is invalid."""
        try:
            found = json.loads(text)
            _check_types(found)
            return cls(**{name: found[name] for name in cls.__slots__})
        except _FAULTS as fault:
            raise RemoteError(f"the launcher's exit record is invalid: {_shown(text)}") from fault


def _check_types(found: Mapping[str, object]) -> None:
    wrong = [name for name, types in _EXIT_TYPES.items() if type(found[name]) not in types]
    if wrong:
        raise TypeError(", ".join(wrong))


def _count(value: object) -> int:
    """Return a whole number that is not negative. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("not a number from 0")
    return value


def _shown(text: bytes) -> str:
    return repr(text[:_LONGEST]) + ("..." if len(text) > _LONGEST else "")


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"
