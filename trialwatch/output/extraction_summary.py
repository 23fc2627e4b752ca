"""The summary after reading a log: what was found, what was not found, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filters.extractor import ExtractionSpec
    from filters.near_misses import NearMisses
    from filters.points import ExtractionCounters

_SKIPPED = (
    # the name of a counter, and what it counts: singular, plural, the rest
    (
        "not_finite",
        "value that is",
        "values that are",
        "not a finite number: stored, but no objective value",
    ),
    ("without_number", "time", "times", "a metric name without a number after it"),
    ("doubtful", "number", "numbers", "in code or settings, or of one part of the data: not taken"),
    ("not_json", "line that is", "lines that are", "not a JSON object"),
    ("wrong_type", "JSON value that is", "JSON values that are", "neither number nor string"),
    ("cut_lines", "cut", "cuts", "in lines longer than 1 MiB"),
    ("timed_out", "line", "lines", "skipped, because a pattern takes too long there"),
)


def summary(counters: ExtractionCounters, wanted: ExtractionSpec, near: NearMisses) -> str:
    """Return the summary as several lines, without a line end after the last one."""
    read = (_counted(counters.points, "point"), _counted(counters.lines, "line"))
    rows = [f"{' in '.join(read)}, {_counted(counters.bytes, 'byte')}"]
    for name in wanted.metrics:
        count = counters.by_metric.get(name, 0)
        rows.append(f"  {name}: {_counted(count, 'point') if count else 'nothing found'}")
        if not count:
            rows += _nearest(near, name)
    for counter, one, several, words in _SKIPPED:
        count = getattr(counters, counter)
        if count:
            rows.append(f"  {count:,} {one if count == 1 else several} {words}")
    return "\n".join(rows)


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _nearest(near: NearMisses, name: str) -> list[str]:
    rows = []
    for miss in near.of(name):
        rows += [f"    line {miss.line}: {miss.text}", f"      {miss.why}"]
    return rows
