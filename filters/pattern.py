r"""Users' patterns: compiled, or refused with the position of the fault and a hint.

A `metricsFormat` runs in RE2. So it means what it means in Katib (Go's `regexp`), and takes linear
time on every log. A pattern that RE2 refuses and `regex` accepts (look-around, back references)
runs in `regex`, with a time limit for each line.

Anyone who may create an Experiment writes patterns, and the webhook compiles them. So time and
memory are bounded:

| what | bound |
|---|---|
| a pattern | `LONGEST_PATTERN` characters, `MOST_UNICODE_CLASSES` classes such as `\pL` |
| its program in RE2 | `MOST_INSTRUCTIONS`; compiling stops at `_CHECK.max_mem` |
| its program in `regex` | `MOST_NODES`, estimated before it is compiled |
| one search in RE2 | `SEARCH_STEPS`: instructions times bytes |
| all searches in one line | `LINE_STEPS` |

The bounds of RE2 are counts, not times: whether a line is skipped does not depend on the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import re2

from api.errors import UserError
from filters.pattern_size import check_repeats, check_size, shown_pattern, too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINE_SECONDS = 0.25
"""Seconds that a pattern outside RE2 may take for one line."""

SEARCH_STEPS = 1 << 28
"""Instructions times bytes of one search in RE2; each step takes 10 ns at the most."""
LINE_STEPS = 1 << 34
"""The same of all searches in one line, as if each looked ahead to the line's end. Usual searches
do not: then a line of 100 KB with thousands of matches takes 0.1 s."""
MOST_INSTRUCTIONS = 20_000

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 8 << 20
"""RE2's default. A smaller budget would make large patterns slow."""
_CHECK = re2.Options()
_CHECK.log_errors = False
_CHECK.max_mem = 1 << 20
"""The budget of the first compiling: it ends early for patterns that are too large."""
_TOO_LARGE = "pattern too large"

_HINTS = (
    # part of the message of `regex`, advice to the user
    ("missing )", "close the group, or write `\\(` for a literal bracket"),
    ("unterminated character set", "close the set with `]`, or write `\\[` for a literal bracket"),
    ("unbalanced parenthesis", "write `\\)` for a literal bracket"),
    ("multiple repeat", "write `\\*`, `\\+` or `\\?` for the literal sign"),
    ("nothing to repeat", "write `\\*`, `\\+` or `\\?` for the literal sign"),
    ("bad escape", "write `\\\\` for a literal backslash"),
    ("bad character range", "a range goes from the lower to the higher; put a literal `-` last"),
)
_TWO_GROUPS = (
    "put one group around the name and one around the value, such as `([\\w|-]+)=([0-9.]+)`"
)

_GO_BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Go's `strings.TrimSpace` removes these; Python's `strip` removes four control characters more."""


class Engine(StrEnum):
    """The library that runs a pattern."""

    RE2 = "re2"
    REGEX = "regex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A compiled `metricsFormat` of at least two groups."""

    source: str
    engine: Engine
    matches: Callable[[bytes], Iterator[tuple[str, str]]]
    """Takes a line (valid UTF-8, no terminator), yields pairs of name and value, left to right,
    trimmed. Raises `TimeoutError` when the line exceeds the bounds of the engine: then its pairs so
    far must not be used, because later ones are missing."""

    @property
    def notice(self) -> str | None:
        """A sentence for the user about the engine; None for RE2."""
        if self.engine is Engine.RE2:
            return None
        return (
            f"metricsFormat {self.source!r} uses a construct that RE2 lacks (look-around or a back "
            f"reference): it runs in `regex`, for at most {LINE_SECONDS:g} s a line"
        )


def compile_pattern(source: str) -> Pattern:
    """Compile one `metricsFormat`.

    Raises:
        UserError: it is too long or too large, both engines refuse it (the message has the position
            and a hint), or it has fewer than two groups.
    """
    check_size(source)
    try:
        small = re2.compile(source, _CHECK)
        if small.programsize > MOST_INSTRUCTIONS:
            raise too_large(source)
        compiled = re2.compile(source, _OPTIONS)
    except re2.error as error:
        if _TOO_LARGE in str(error):
            raise too_large(source) from error
        return _compile_outside_re2(source)
    except UnicodeEncodeError as error:
        message = (
            f"metricsFormat {shown_pattern(source)} is not valid Unicode text: write it in UTF-8"
        )
        raise UserError(message) from error
    name, value = _two_groups(source, compiled.groups, dict(compiled.groupindex))
    matches = _re2_matches(compiled.search, name, value, small.programsize)
    return Pattern(source=source, engine=Engine.RE2, matches=matches)


def fault_of(source: str) -> str | None:
    """Return why `compile_pattern` refuses a pattern, or None where it accepts it."""
    try:
        compile_pattern(source)
    except UserError as refusal:
        return str(refusal)
    return None


def _compile_outside_re2(source: str) -> Pattern:
    import regex  # noqa: PLC0415 - costs 20 ms and 4 MiB, and few users need it

    check_repeats(source)
    try:
        compiled = regex.compile(source, regex.ASCII)
    except regex.error as error:
        message, place = str(error.msg), error.pos  # type: ignore[attr-defined]  # not in the stubs
        raise UserError(_refusal(source, message, place)) from error
    except (OverflowError, RecursionError, MemoryError) as error:
        raise too_large(source) from error
    except ValueError as error:
        raise UserError(_refusal(source, str(error), None)) from error
    name, value = _two_groups(source, compiled.groups, dict(compiled.groupindex))

    def matches(line: bytes) -> Iterator[tuple[str, str]]:
        text = line.decode("utf-8", "replace")
        for match in compiled.finditer(text, timeout=LINE_SECONDS):
            yield _trimmed(match[name]), _trimmed(match[value])

    return Pattern(source=source, engine=Engine.REGEX, matches=matches)


def _re2_matches(
    search: Callable[[bytes, int], Any], name: int, value: int, instructions: int
) -> Callable[[bytes], Iterator[tuple[str, str]]]:
    """Iterate over single searches as Go's `FindAll` does.

    After an empty match the search continues one character later. Go also omits an empty match
    directly behind the previous match. (That makes no difference here: an empty match has no name.)
    """

    def matches(line: bytes) -> Iterator[tuple[str, str]]:
        position, end, steps = 0, len(line), 0
        while position <= end:
            ahead = instructions * (end - position)
            steps += ahead
            if ahead > SEARCH_STEPS or steps > LINE_STEPS:
                raise TimeoutError
            match = search(line, position)
            if match is None:
                return
            behind = match.end()
            if behind == position:
                position += _character_width(line, position)
            else:
                position = behind
            yield _trimmed(match[name]), _trimmed(match[value])

    return matches


def _two_groups(source: str, groups: int, named: dict[str, int]) -> tuple[int, int]:
    """Return the numbers of the groups for name and value: by name, else 1 and 2."""
    if groups < 2:  # noqa: PLR2004 - two groups: name and value
        count = "one group" if groups == 1 else "no group"
        raise UserError(
            f"metricsFormat {shown_pattern(source)} has {count}, two are needed: {_TWO_GROUPS}"
        )
    if "name" in named and "value" in named:
        return named["name"], named["value"]
    return 1, 2


def _refusal(source: str, message: str, position: int | None) -> str:
    place = "" if position is None else f" at position {position}"
    hint = next((advice for word, advice in _HINTS if word in message), None)
    remedy = f": {hint}" if hint else "; use RE2's syntax, as in Katib"
    what = "is not a regular expression"
    return f"metricsFormat {shown_pattern(source)} {what}: {message}{place}{remedy}"


def _trimmed(group: bytes | str | None) -> str:
    if group is None:
        return ""
    text = group if isinstance(group, str) else group.decode("utf-8", "replace")
    return text.strip(_GO_BLANKS)


def _character_width(line: bytes, position: int) -> int:
    """Return the bytes of the UTF-8 character at `position`; 1 at the line's end."""
    lead = line[position] if position < len(line) else 0
    return 1 + (lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0)  # noqa: PLR2004 - UTF-8's own
