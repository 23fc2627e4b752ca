"""Merges renderings of the same objects into one template: what differs gets a condition.

A choice of the chart (which database, for example) has one rendering for each of its answers. Each
rendering is compared with the default's line by line; the lines that differ are written between
`if` and `end`. Two choices may change the same object, but never the same lines: what the chart
would be then is not known from one answer at a time.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Lines = Sequence[str]
Conditioned = Mapping[str, Lines]
"""The lines under each condition of one choice; a condition is an expression of Helm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What stands in place of `base[start:end]`, under each condition of one choice."""

    start: int
    end: int
    instead: Conditioned


def merged(base: Lines, choices: Sequence[Conditioned]) -> list[str]:
    """Return the lines of a template that renders as `base`, or as the condition's lines.

    Raises:
        ValueError: Two choices change the same line.
    """
    changes = [change for choice in choices for change in _changes(base, choice)]
    lines: list[str] = []
    done = 0
    for change in sorted(changes, key=lambda one: (one.start, one.end)):
        if change.start < done:
            raise ValueError(f"two choices change the same lines: {base[change.start : done]}")
        lines += base[done : change.start]
        lines += conditional(change.instead, base[change.start : change.end])
        done = change.end
    return [*lines, *base[done:]]


def conditional(instead: Conditioned, otherwise: Lines) -> list[str]:
    """Return lines that render as the lines of the condition that holds, else as `otherwise`."""
    by_lines: dict[tuple[str, ...], list[str]] = {}
    for condition, lines in instead.items():
        by_lines.setdefault(tuple(lines), []).append(condition)
    if not otherwise:
        by_lines.pop((), None)
    if [*by_lines] == [()]:  # the lines go away
        return [f"{{{{- if not {_in_parentheses(by_lines[()])} }}}}", *otherwise, "{{- end }}"]
    result: list[str] = []
    for lines, conditions in by_lines.items():
        word = "else if" if result else "if"
        result += [f"{{{{- {word} {_any_of(conditions)} }}}}", *lines]
    return [*result, *(["{{- else }}", *otherwise] if otherwise else []), "{{- end }}"]


def _any_of(conditions: Sequence[str]) -> str:
    if len(conditions) == 1:
        return conditions[0]
    return "or " + " ".join(f"({condition})" for condition in conditions)


def _in_parentheses(conditions: Sequence[str]) -> str:
    expression = _any_of(conditions)
    return f"({expression})" if " " in expression else expression


def _changes(base: Lines, choice: Conditioned) -> Iterator[_Change]:
    """Yield the changes of one choice; what several of its answers change is one change."""
    hunks = {condition: _hunks(base, lines) for condition, lines in choice.items()}
    for start, end in _joined([(hunk[0], hunk[1]) for some in hunks.values() for hunk in some]):
        instead = {
            condition: _replaced(base, start, end, some) for condition, some in hunks.items()
        }
        yield _Change(start=start, end=end, instead=instead)


_Hunk = tuple[int, int, Lines]


def _hunks(base: Lines, other: Lines) -> list[_Hunk]:
    """Return which of the base's lines are replaced in `other`, and by which."""
    matcher = difflib.SequenceMatcher(None, base, other, autojunk=False)
    return [
        (start, end, other[first:last])
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    ]


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges in order; those that overlap or touch are one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _replaced(base: Lines, start: int, end: int, hunks: Sequence[_Hunk]) -> list[str]:
    """Return `base[start:end]` after those hunks that are in it."""
    lines: list[str] = []
    done = start
    for first, last, instead in hunks:
        if start <= first and last <= end:
            lines += [*base[done:first], *instead]
            done = last
    return [*lines, *base[done:end]]
