"""Why a line that is similar to a metric's line did not match: its keys, compared with the name."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING

from filters.loggers import logger_of
from filters.numbers import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LIKE_ENOUGH = 0.6
_KEYED = re.compile(
    rb"([A-Za-z_][\w|/.@%'-]{0,63}+(?>(?: [A-Za-z][\w/.@-]{0,31}+){0,2}))"
    rb"[\"')\]]{0,2}[ \t]{0,40}[=:][ \t]{0,40}[\"']?" + NUMBER
)


def keys_in(line: bytes) -> list[str]:
    """Return the words before a number, as `loss` in `loss=0.5`."""
    return [match[1].decode("utf-8", "replace") for match in _KEYED.finditer(line)]


def reasons(name: str, text: str, keys: Sequence[str], how: str) -> Iterator[tuple[float, str]]:
    """Yield why a line does not match, each with a distance: 0 is almost a match, 1 far from it."""
    logger = logger_of(text.encode(errors="replace"), 0)
    if logger and name in text:
        yield 0.05, f"this line is of {logger}: ask for {logger}_{name}"
        return
    if name in keys:
        yield 0.05, f"{how} does not match here"
        return
    if name in text:
        part_of = next((key for key in keys if name in key), None)
        if part_of:
            yield 0.2, f"{name!r} is only a part of {part_of!r} here: ask for that name"
        elif _alone(name).search(text):
            yield 0.1, f"no number follows {name!r} here"
        else:
            yield 0.5, f"{name!r} is only a part of a word here"
        return
    for key in keys:
        if _letters(key) == _letters(name):
            yield 0.15, f"it is written {key!r} here: ask for that name"
            continue
        likeness = _likeness(key, name)
        if likeness >= _LIKE_ENOUGH:
            yield 1.2 - likeness, f"this line has {key!r}: is that the metric?"
        else:
            yield 1.0, f"this log prints {key!r}"


@lru_cache(maxsize=256)
def _alone(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


@lru_cache(maxsize=4096)  # logs repeat their keys, and this is the costly step
def _likeness(key: str, name: str) -> float:
    return SequenceMatcher(None, _letters(key), _letters(name)).ratio()


@lru_cache(maxsize=4096)
def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
