"""Writes event files by hand: the framing of records, and damage to it."""

from __future__ import annotations

from struct import pack

from google_crc32c import value as crc32c

from api.eventfiles.event_pb2 import Event, Summary


def framed(data: bytes) -> bytes:
    """Return a record with intact checksums."""
    length = pack("<Q", len(data))
    return length + checksum(length) + data + checksum(data)


def checksum(data: bytes) -> bytes:
    crc: int = crc32c(data)
    return pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def scalar(tag: str, value: float, *, step: int = 0, at: float = 1.5) -> bytes:
    """Return the record of one value; `at` is its wall time in seconds."""
    simple = Summary.Value(tag=tag.encode(), simple_value=value)
    event = Event(wall_time=at, step=step, summary=Summary(value=[simple]))
    return framed(event.SerializeToString(deterministic=True))


def beginning(at: float = 1.0) -> bytes:
    """Return the first record of each event file: its version, field 3 of an Event."""
    return framed(Event(wall_time=at).SerializeToString() + b"\x1a\x0dbrain.Event:2")
