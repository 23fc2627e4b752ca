"""A table of the metrics that an output has."""

from __future__ import annotations

from collections.abc import Sequence

from trialwatch.tuning.candidates import Candidate

_HEAD = ("metric", "values", "first", "last", "smallest", "largest")
_MOST = 12
_LONGEST = 10
"""Characters of a number; a longer one is rounded."""


def metrics_table(candidates: Sequence[Candidate], most: int = _MOST) -> list[str]:
    """Return the lines of the table, the most likely objective first."""
    rows = [_HEAD, *(_row(candidate) for candidate in candidates[:most])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    if len(candidates) > most:
        lines.append(f"  … and {len(candidates) - most} others")
    return lines


def _row(candidate: Candidate) -> tuple[str, ...]:
    numbers = (candidate.first, candidate.last, f"{candidate.low:g}", f"{candidate.high:g}")
    return (candidate.name, f"{candidate.count:,}", *map(_short, numbers))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name = row[0].ljust(widths[0])
    numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return f"  {'  '.join((name, *numbers))}"


def _short(number: str) -> str:
    return number if len(number) <= _LONGEST else f"{float(number):.6g}"
