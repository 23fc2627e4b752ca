"""Whether a `metricsFormat` can ever give a metric's name, as far as its text tells.

A pattern whose group for the name cannot match `val/loss` finds nothing of that metric, whatever is
logged. What is not certain counts as possible.
"""

from __future__ import annotations

from collections.abc import Iterator

import re2

from filters.pattern import compile_pattern

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def may_name(source: str, name: str) -> bool:
    """Say whether the pattern may find the metric.

    Raises:
        UserError: the pattern itself is refused.
    """
    compile_pattern(source)
    group = _name_group(source)
    if group is None:
        return True
    try:
        # What is found is trimmed, so there may be blanks around it.
        variants = (name, f" {name}", f"{name} ", f" {name} ", f"\t{name}")
        return any(re2.fullmatch(group, one, _OPTIONS) is not None for one in variants)
    except (re2.error, UnicodeEncodeError):
        return True


def _name_group(source: str) -> str | None:
    """Return what stands in the group for the name; None where its text does not tell its meaning.

    Flags and the like change the meaning of what follows, quotes that of the brackets in them.
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
    """Yield each bracket that groups: not those that are escaped, or in a set."""
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
