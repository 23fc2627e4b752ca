"""What a person wants to know after a log was read: what was found, what was not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filters.extractor import Reading
    from filters.nearest import NearMisses
    from filters.points import Tally

_SKIPPED = (
    # a count of the tally, and what it counts, in words
    ("not_finite", "points that are nan, infinite or no number: history, never an objective"),
    ("without_number", "places that name a metric with no number behind it"),
    ("not_json", "lines that are no JSON object"),
    ("wrong_type", "JSON values that are neither a number nor a string"),
    ("cut_lines", "cuts in lines longer than 1 MiB"),
    ("timed_out", "lines on which a pattern ran out of time"),
)


def summary(tally: Tally, wanted: Reading, near: NearMisses) -> str:
    """Return the summary of a reading, several lines, the last one without its end."""
    rows = [f"{tally.points:,} points in {tally.lines:,} lines, {tally.bytes:,} bytes"]
    for name in wanted.metrics:
        count = tally.by_metric.get(name, 0)
        rows.append(f"  {name}: {f'{count:,} points' if count else 'nothing found'}")
        if not count:
            rows += _nearest(near, name)
    rows += [
        f"  {getattr(tally, counter):,} {words}"
        for counter, words in _SKIPPED
        if getattr(tally, counter)
    ]
    return "\n".join(rows)


def _nearest(near: NearMisses, name: str) -> list[str]:
    rows = []
    for miss in near.of(name):
        rows += [f"    line {miss.line}: {miss.text}", f"      {miss.why}"]
    return rows
