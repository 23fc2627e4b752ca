"""Moments as objects hold them: RFC 3339 texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from api.errors import UserError
from api.timestamps import from_micros, to_micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def format_time(moment: datetime) -> str:
    """Write a moment; one with whole seconds is written as Kubernetes does."""
    return from_micros((moment - _EPOCH) // timedelta(microseconds=1))


def parse_time(text: str | None) -> datetime | None:
    """Read a moment; None where there is none, or where it is not readable."""
    try:
        return _EPOCH + timedelta(microseconds=to_micros(text)) if text else None
    except UserError:
        return None
