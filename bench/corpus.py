"""What is found in the corpus of outputs, beside Katib's default filter."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import re2
from rich.console import Console
from rich.table import Table

from bench.reference import KATIB_DEFAULT
from filters.extractor import Extractor, extraction_spec
from tests.filters.corpus_files import CorpusEntry, corpus, without_repeats

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

_KATIB = re2.compile(KATIB_DEFAULT)
_OUTCOMES = ("right", "in part", "silent", "wrong")

Values = dict[str, tuple[str, ...]]


def ours(output: bytes, metrics: Sequence[str]) -> Values:
    """Return the values that the default matcher finds for each metric."""
    extractor = Extractor(extraction_spec(metrics))
    points = extractor.feed(output) + extractor.finish()
    return _by_metric(metrics, [(point.name, point.value) for point in points])


def katibs(output: bytes, metrics: Sequence[str]) -> Values:
    r"""Return the values that Katib's TEXT format without filters finds for each metric.

    As Katib does it: a line ends at `\n`; only lines with a metric's name are searched; names and
    values are trimmed; and a value may be empty.
    """
    pairs: list[tuple[str, str]] = []
    names = [name.encode() for name in metrics]
    for line in output.split(b"\n"):
        if any(name in line for name in names):
            pairs += [(_text(match[1]), _text(match[2])) for match in _KATIB.finditer(line)]
    return _by_metric(metrics, pairs)


def outcome(found: tuple[str, ...], true: tuple[str, ...]) -> str:
    """Return how the values of a metric compare with the true ones.

    `right`: equal. `silent`: nothing is found. `in part`: only true values, in their order, but not
    all. `wrong`: at least one value is not true.
    """
    if found == true:
        return "right"
    if not found:
        return "silent"
    rest = iter(true)
    return "in part" if all(value in rest for value in found) else "wrong"


def run(_arguments: argparse.Namespace) -> None:
    """Print the table, and below it each metric that is not right."""
    entries = corpus()
    table = Table(title=f"corpus: {len(entries)} outputs; the numbers count metrics of outputs")
    for heading in ("outputs", "found by", *_OUTCOMES):
        table.add_column(heading, justify="left" if heading in ("outputs", "found by") else "right")
    groups = {
        "of real runs": [e for e in entries if e.made == "run" and not e.negative],
        "written after documents": [e for e in entries if e.made == "written" and not e.negative],
        "without a value": [e for e in entries if e.negative],
    }
    faults: list[str] = []
    for label, group in groups.items():
        for who, finder in (("default matcher", ours), ("Katib's default filter", katibs)):
            counts = _count(group, finder, faults if finder is ours else [])
            table.add_row(f"{label}: {len(group)}", who, *(f"{counts[each]}" for each in _OUTCOMES))
    console = Console(width=120)
    console.print(table)
    for fault in faults:
        console.print(fault, markup=False)


def _count(
    entries: Sequence[CorpusEntry],
    finder: Callable[[bytes, Sequence[str]], Values],
    faults: list[str],
) -> Counter[str]:
    counts: Counter[str] = Counter()
    for entry in entries:
        found = finder(entry.output, tuple(entry.metrics))
        for metric, true in entry.metrics.items():
            result = outcome(found[metric], true)
            counts[result] += 1
            if result != "right":
                faults.append(f"{result}: {entry.name}, {metric}: {found[metric][:5]}")
    return counts


def _by_metric(metrics: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Values:
    return {
        metric: without_repeats(value for name, value in pairs if name == metric)
        for metric in metrics
    }


def _text(matched: bytes) -> str:
    return matched.decode("utf-8", "replace").strip()
