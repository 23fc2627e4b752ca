"""Tables: the names stand once, in a header above columns of numbers (fastai, ultralytics).

    epoch     train_loss  valid_loss  accuracy  time
    0         0.155134    0.091220    0.970000  00:12

A header is a line of at least three cells: no cell is a number, and one is a metric's name. A row
is a line with as many cells, in which every metric's cell is a number. A tab or at least two blanks
separate cells, so that prose matches neither. Text may follow the last column (a progress bar). A
header is valid until the next header, or until too many lines in a row are not rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filters.numbers import NUMBER, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

_SEPARATOR = re.compile(rb"[ \f]*\t[ \t\f]*|[ \f]{2,}")
_NUMBER_CELL = re.compile(rb"(" + NUMBER + rb")(?![^\s:|,%])")
_AROUND_A_NAME = b"():,|[]'\""
_MIN_CELLS = 3
PATIENCE = 10_000
"""Lines. A progress bar can print many of them between two rows of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableHeader:
    """An open table: rows may still follow."""

    width: int
    """The number of columns."""
    columns: tuple[tuple[int, str], ...]
    """Pairs of a column's index, from 0, and the metric in it."""
    patience: int = PATIENCE
    """How many more lines without a row the table stays open."""


def read_header(line: bytes, names: Iterable[str]) -> TableHeader | None:
    """Return the header that a line is, or None where the line is not a header."""
    cells = _SEPARATOR.split(line.strip())
    words = [cell.split(b" ", 1)[0].strip(_AROUND_A_NAME) for cell in cells]
    if len(cells) < _MIN_CELLS or any(_NUMBER_CELL.match(cell) for cell in cells):
        return None
    columns = tuple(
        (index, name)
        for name in names
        for index, (cell, word) in enumerate(zip(cells, words, strict=True))
        if name.encode() in (cell, word)
    )
    return TableHeader(width=len(cells), columns=columns) if columns else None


def read_row(line: bytes, header: TableHeader) -> list[tuple[str, str]]:
    """Return names and values of the metrics, left to right; empty where the line is not a row."""
    cells = _SEPARATOR.split(line.strip(), header.width - 1)
    if len(cells) < header.width:
        return []
    values = []
    for index, name in sorted(header.columns):
        match = _NUMBER_CELL.match(cells[index])
        if match is None:
            return []
        values.append((name, plain(match[1])))
    return values
