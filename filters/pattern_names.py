"""Whether a `metricsFormat` can ever match a metric's name, as far as its source text shows.

A pattern whose group for the name cannot match `val/loss` never finds that metric. In doubt the
answer is yes.
"""

from __future__ import annotations

from collections.abc import Iterator

import re2

from filters.pattern import compile_pattern

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def can_match_name(source: str, name: str) -> bool:
    """Return whether the pattern may find the metric.

    Raises:
        UserError: `compile_pattern` refuses the pattern.
    """
    compile_pattern(source)
    group = _name_group(source)
    if group is None:
        return True
    try:
        # Matched names are trimmed, so blanks may surround them.
        variants = (name, f" {name}", f"{name} ", f" {name} ", f"\t{name}")
        return any(re2.fullmatch(group, text, _OPTIONS) is not None for text in variants)
    except (re2.error, UnicodeEncodeError):
        return True


def _name_group(source: str) -> str | None:
    """Return the source of the group for the name; None where its meaning depends on more.

    Flags change the meaning of what follows, and quotes that of the brackets in them.
    """
    if any(sign in source for sign in (r"\Q", r"\B")):
        return None
    opened: list[tuple[int, bool]] = []
    groups: dict[int, str] = {}
    for at, sign in _brackets(source):
        if sign == "(":
            captures = not source.startswith("(?:", at)
            if captures and source.startswith("(?", at):
                return None
            opened.append((at, captures))
        elif opened:
            start, captures = opened.pop()
            if captures:
                groups[start] = source[start + 1 : at]
    return groups[min(groups)] if groups else None


def _brackets(source: str) -> Iterator[tuple[int, str]]:
    """Yield position and sign of each grouping bracket: neither escaped nor in a set."""
    at, in_set = 0, False
    while at < len(source):
        sign = source[at]
        if sign == "\\":
            at += 1
        elif in_set:
            if source.startswith("[:", at):
                at = max(at, source.find(":]", at + 2) + 1)
            else:
                in_set = sign != "]"
        elif sign == "[":
            in_set = True
            at += source.startswith("^", at + 1)
            at += source.startswith("]", at + 1)
        elif sign in "()":
            yield at, sign
        at += 1
