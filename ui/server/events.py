"""Server-Sent Events: how an event is written, and how its id carries resume tokens.

The id of an event holds, for each trial whose points are sent, the resume token of the store and
how many points of each metric came before. A browser sends the last id back as `Last-Event-ID`, and
the stream continues there: no point is missed, and none comes twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from api.errors import UserError
from api.faults import quoted

BEAT: Final = b": beat\n\n"
"""A comment that keeps the connection open."""
_MOST_ID: Final = 64 << 10


class Reached(msgspec.Struct, omit_defaults=True):
    """How far the points of a trial have been sent."""

    token: str = ""
    counts: dict[str, int] = {}


class LivePoints(msgspec.Struct, kw_only=True):
    """New points of one metric of one trial."""

    trial: str
    metric: str
    first: int
    """How many points the metric had before these."""
    times: list[float]
    """Seconds since 1970."""
    steps: list[int | None]
    values: list[float | None]
    """None means not a finite number."""


def event(name: str, data: Any, reached: Mapping[str, Reached] | None = None) -> bytes:  # noqa: ANN401 - what msgspec encodes
    """Return the bytes of an event."""
    line = b"id: " + _id(reached) + b"\n" if reached else b""
    return line + b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"


def _id(reached: Mapping[str, Reached]) -> bytes:
    """Return an id of ASCII alone: it comes back in a header, where other characters cannot be."""
    return json.dumps(msgspec.to_builtins(reached), separators=(",", ":")).encode("ascii")


def read_last_id(text: str) -> dict[str, Reached]:
    """Read a `Last-Event-ID`; it is empty for a new stream.

    Raises:
        UserError: this server does not write such ids.
    """
    if not text:
        return {}
    try:
        if len(text) > _MOST_ID:
            raise msgspec.DecodeError
        return msgspec.json.decode(text, type=dict[str, Reached])
    except (msgspec.MsgspecError, UnicodeError):
        raise UserError(
            f"Last-Event-ID: {quoted(text[:80])} is not an id of this server: start without it"
        ) from None
