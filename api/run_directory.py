"""What the launcher writes into a run directory, as values: one line of JSON in each file.

Names and places of the files are in `api.names`, their life is told in docs/launcher.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from api.errors import RemoteError

SEGMENT_BYTES: Final = 1 << 20
"""Each segment but a stream's last one has exactly this size."""

TAIL_BYTES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBorder:
    """Where a user's file ended when an attempt began: what stands before is of earlier ones."""

    inode: int
    size: int
    """In bytes."""
    tail: bytes = b""
    """Up to `TAIL_BYTES` bytes before the end; other bytes there tell that it was written over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """The file `attempt`: one start of the trainer."""

    number: int
    started: float
    """Seconds since the epoch."""
    file: FileBorder | None = None
    """None for a trainer whose output is captured, and where the file was not there yet."""

    def to_json(self) -> bytes:
        """Write the record, on one line."""
        border = self.file and {
            "inode": self.file.inode,
            "size": self.file.size,
            "tail": self.file.tail.hex(),
        }
        return _line({"attempt": self.number, "started": self.started, "file": border})

    @classmethod
    def from_json(cls, text: bytes) -> AttemptRecord:
        """Read what either launcher wrote; raises RemoteError."""
        try:
            found = json.loads(text)
            file = found["file"]
            border = file and FileBorder(
                inode=int(file["inode"]),
                size=int(file["size"]),
                tail=bytes.fromhex(file["tail"]),
            )
            return cls(
                number=int(found["attempt"]), started=float(found["started"]), file=border or None
            )
        except (ValueError, TypeError, KeyError) as fault:
            raise RemoteError(
                f"the launcher's record of an attempt is not one: {text!r}"
            ) from fault


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRecord:
    """The file `exit`: how an attempt ended. Of `status` and `signal` exactly one is set."""

    attempt: int
    status: int | None
    signal: int | None
    ended: float
    """When the trainer's own process ended, in seconds since the epoch."""
    leftovers: int
    """How many processes it left behind, which were killed."""
    complete: bool
    """Whether the segments hold all that the trainer wrote."""
    cause: str | None
    """Why they do not."""
    stopped: bool
    """Whether the collector had asked for the end: the container's status is then 0."""

    def to_json(self) -> bytes:
        """Write the record, on one line."""
        return _line({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: bytes) -> ExitRecord:
        """Read what either launcher wrote; raises RemoteError."""
        try:
            found = json.loads(text)
            return cls(**{name: found[name] for name in cls.__slots__})
        except (ValueError, TypeError, KeyError) as fault:
            raise RemoteError(f"the launcher's exit record is not one: {text!r}") from fault


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode() + b"\n"
