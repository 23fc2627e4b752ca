"""The corpus of outputs in `tests/filters/corpus`, with the true values of each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusEntry:
    """One output, and what is true of it."""

    name: str
    output: bytes
    origin: str
    """The program that printed it."""
    made: str
    """`run`: this program really ran. `written`: after its documented format."""
    metrics: Mapping[str, tuple[str, ...]]
    """The values of each metric in the order of the text; equal neighbours are one value."""

    @property
    def negative(self) -> bool:
        """Whether the output has no value of any of its names."""
        return not any(self.metrics.values())


def without_repeats(values: Iterable[str]) -> tuple[str, ...]:
    """Return the values with equal neighbours as one: a progress bar prints each many times."""
    return tuple(value for value, _ in groupby(values))


def corpus() -> list[CorpusEntry]:
    """Return all entries, by name."""
    return [_read(path) for path in sorted(CORPUS.glob("*.yaml"))]


def _read(path: Path) -> CorpusEntry:
    # All scalars as text: a value is what the program prints, and YAML's own numbers are not.
    facts = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)
    return CorpusEntry(
        name=path.stem,
        output=path.with_suffix(".log").read_bytes(),
        origin=facts["from"],
        made=facts["made"],
        metrics={name: without_repeats(values) for name, values in facts["metrics"].items()},
    )
