"""Messages between the service and a worker: a kind, a length, and so many bytes."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from enum import Enum
from typing import Final

from suggestion.service.searches import MOST_BYTES, Began

_HEAD: Final = struct.Struct(">cI")
HEAD_BYTES: Final = _HEAD.size


class FrameError(Exception):
    """The bytes are not a message: a fault of the program."""


class Kind(Enum):
    """What a message is."""

    SUGGEST = b"S"
    VALIDATE = b"V"
    BEGAN = b"B"
    """The request is decoded; the bytes are a `Began`."""
    REPLY = b"R"
    LAST_REPLY = b"L"
    """The same; the worker ends now, because it has grown."""
    USER_ERROR = b"U"
    SETUP_ERROR = b"E"
    NO_MEMORY = b"M"
    """The worker ends now."""
    FAILED = b"F"
    """A fault of the program; the worker's log has the trace."""


METHODS: Final = {"GetSuggestions": Kind.SUGGEST, "ValidateAlgorithmSettings": Kind.VALIDATE}


def head(kind: Kind, body: bytes) -> bytes:
    """Return the bytes that stand before the body."""
    return _HEAD.pack(kind.value, len(body))


def read_head(encoded: bytes) -> tuple[Kind, int]:
    """Return the kind and the length of the body.

    Raises:
        FrameError: these are not the first bytes of a message.
    """
    kind, length = _HEAD.unpack(encoded)
    try:
        known = Kind(kind)
    except ValueError:
        raise FrameError(f"a message has the unknown kind {kind!r}") from None
    if length > MOST_BYTES:
        raise FrameError(f"a message has {length} bytes, more than {MOST_BYTES}")
    return known, length


def began_to_bytes(began: Began) -> bytes:
    """Write a `Began`."""
    return json.dumps(asdict(began)).encode()


def began_from_bytes(encoded: bytes) -> Began:
    """Read a `Began` of a worker."""
    return Began(**json.loads(encoded))
