"""Whether a `metricsFormat` can ever match a metric's name, as far as its source text shows.

A pattern whose group for the name cannot match `val/loss` never finds that metric. In doubt the
answer is yes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import re2

from filters.pattern import compile_pattern

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20
_MOST_STEPS = 1 << 24
"""Instructions times bytes of all attempts together: about 0.2 s at the most."""
_ATTEMPT = 100
"""Steps that each attempt counts more: it takes about 1 us, however short the name is."""


def can_match_name(source: str, name: str) -> bool:
    """Return whether the pattern may find the metric.

    Raises:
        UserError: `compile_pattern` refuses the pattern.
    """
    return not unfindable_names([source], [name])


def unfindable_names(sources: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Return the metrics that no pattern can find; names that cost too much to try are left out.

    Raises:
        UserError: `compile_pattern` refuses a pattern.
    """
    groups = []
    for source in sources:
        compile_pattern(source)
        groups.append(_compiled_group(source))
    if any(group is None for group in groups):
        return ()
    unfindable: list[str] = []
    steps = 0
    for name in names:
        # Matched names are trimmed, so blanks may surround them.
        variants = (name, f" {name}", f"{name} ", f" {name} ", f"\t{name}")
        for group in groups:
            steps += len(variants) * (_ATTEMPT + group.programsize * len(name))
            if steps > _MOST_STEPS:
                return tuple(unfindable)
            if _matches_any(group, variants):
                break
        else:
            unfindable.append(name)
    return tuple(unfindable)


def _compiled_group(source: str) -> Any:  # noqa: ANN401 - re2 has no types
    """Return the group for the name, compiled; None where it cannot be told or is too large."""
    group = _name_group(source)
    if group is None:
        return None
    try:
        return re2.compile(group, _OPTIONS)
    except (re2.error, UnicodeEncodeError):
        return None


def _matches_any(group: Any, variants: Sequence[str]) -> bool:  # noqa: ANN401 - re2 has no types
    try:
        return any(group.fullmatch(text) is not None for text in variants)
    except UnicodeEncodeError:
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
