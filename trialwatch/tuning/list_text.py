"""Lists as users write them: `adam,sgd`; an entry with a comma stands in JSON's quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from trialwatch.tuning.number_texts import NUMBER, is_number
from trialwatch.tuning.space_mistakes import SpaceError

LEAST_ENTRIES: Final = 2
"""A list with one value leaves nothing to search."""
_RANGE = re.compile(rf"({NUMBER})\.\.({NUMBER})")
_PLAIN_ENTRY = re.compile(r'[^\s,"](?:[^,"]*[^\s,"])?')


def entries_of(text: str) -> list[str]:
    """Split a list at its commas; an entry in quotes may contain commas."""
    entries: list[str] = []
    rest = text
    while True:
        entry, rest = _first_entry(rest.lstrip(), text)
        entries.append(entry)
        if not rest:
            return entries
        rest = rest[1:]


def _first_entry(rest: str, text: str) -> tuple[str, str]:
    if not rest.startswith('"'):
        entry, comma, others = rest.partition(",")
        entry = entry.strip()
        _check_entry(entry, text)
        return entry, comma + others
    try:
        entry, end = json.JSONDecoder().raw_decode(rest)
    except ValueError:
        why = f'{rest!r} begins with a quote that does not end; write "a,b" or no quotes'
        raise SpaceError(why) from None
    rest = rest[end:].lstrip()
    if rest and not rest.startswith(","):
        raise SpaceError(f"a comma is missing before {rest!r}")
    return entry, rest


def _check_entry(entry: str, text: str) -> None:
    if not entry:
        kept = [part.strip() for part in text.split(",") if part.strip()]
        why = 'a value is empty (for an empty text, write "")'
        raise SpaceError(why, at_least_two(kept))
    bounds, *options = entry.split(":")
    if _RANGE.fullmatch(bounds) or (options and is_number(bounds) and not _is_clock(entry)):
        raise SpaceError(f"a list cannot contain {entry!r}: write either a range or a list")


def at_least_two(entries: Sequence[str]) -> str:
    """Return a list with at least two entries."""
    return ",".join(entries if len(entries) >= LEAST_ENTRIES else (*entries, "ANOTHER"))


def _is_clock(entry: str) -> bool:
    return all(part.isdigit() for part in entry.split(":"))


def entry_text(entry: str) -> str:
    """Return the text of an entry, in quotes if it needs them."""
    bounds, *options = entry.split(":")
    plain = _PLAIN_ENTRY.fullmatch(entry) and not _RANGE.fullmatch(bounds)
    if plain and not (options and is_number(bounds)):
        return entry
    return json.dumps(entry, ensure_ascii=False)
