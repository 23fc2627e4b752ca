"""Times as objects store them: RFC 3339 strings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from api.errors import UserError
from api.timestamps import from_micros, to_micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def format_time(moment: datetime) -> str:
    """Format a time; one with whole seconds looks as Kubernetes writes it."""
    return from_micros((moment - _EPOCH) // timedelta(microseconds=1))


def parse_time(text: str | None) -> datetime | None:
    """Parse a time; None if the text is absent or not valid."""
    try:
        return _EPOCH + timedelta(microseconds=to_micros(text)) if text else None
    except UserError:
        return None
