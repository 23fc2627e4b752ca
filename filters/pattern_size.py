"""How large a user's pattern may be: checked in its text, before an engine reads it.

RE2 bounds its own memory once it has read a pattern. `regex` does not: it copies what `+` and `{9}`
repeat, so `(?:(?:(?:a)+)+)+` doubles with each `+`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from api.errors import UserError
from api.limits import LONGEST_PATTERN

MOST_UNICODE_CLASSES = 100
"""Classes such as `\\pL` in one pattern: RE2 keeps about 600 ranges for each."""
MOST_NODES = 1 << 17
"""Nodes of a pattern in `regex`: up to 1.6 KB each, but the estimate is many times too high."""
_LONGEST_SHOWN = 500
"""Characters of a pattern that a message repeats."""

_COUNT = r"(\+|\{\s*(\d{1,9}))"
_REPEATS = re.compile(_COUNT)
_GROUP_REPEATS = re.compile(rf"\)\s*+{_COUNT}")
_FREE_SPACING = re.compile(r"\(\?[a-zA-Z0-9]*x")


def check_size(source: str) -> None:
    """Refuse a pattern whose reading alone would be costly.

    Raises:
        UserError: it is too long, or has too many Unicode classes.
    """
    classes = source.count("\\p") + source.count("\\P")
    for what, found, most in (
        ("characters", len(source), LONGEST_PATTERN),
        ("Unicode classes", classes, MOST_UNICODE_CLASSES),
    ):
        if found > most:
            why = f"has {found} {what}, and {most} are allowed; write a shorter one"
            raise UserError(f"metricsFormat {shown_pattern(source)} {why}")


def check_repeats(source: str) -> None:
    """Refuse a pattern that may become too large in `regex`.

    Repeated groups may be nested, so their counts are multiplied. With free spacing, a comment may
    stand between a group and its count, so there each count may be that of a group.

    Raises:
        UserError: it may.
    """
    comments = "#" in source and _FREE_SPACING.search(source) is not None
    nodes = len(source) * max(_copies(_REPEATS, source), default=1)
    for copies in _copies(_REPEATS if comments else _GROUP_REPEATS, source):
        nodes *= copies
        if nodes > MOST_NODES:
            break
    if nodes > MOST_NODES:
        raise too_large(source)


def too_large(source: str) -> UserError:
    """Return the error for a pattern that is too large when it is compiled."""
    why = "is too large when its repetitions are written out; repeat less, or use smaller counts"
    return UserError(f"metricsFormat {shown_pattern(source)} {why}")


def shown_pattern(source: str) -> str:
    """Put a pattern in quotes for a message; the end of a long one is cut off."""
    if len(source) > _LONGEST_SHOWN:
        source = f"{source[: _LONGEST_SHOWN - 1]}…"
    return repr(source)


def _copies(repeats: re.Pattern[str], source: str) -> Iterable[int]:
    for repeat in repeats.finditer(source):
        yield 2 if repeat[2] is None else 1 + int(repeat[2])
