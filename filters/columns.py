"""Tables whose names stand once, in a header, over columns of numbers (fastai, ultralytics).

    epoch     train_loss  valid_loss  accuracy  time
    0         0.155134    0.091220    0.970000  00:12

A header is a line of at least three cells, none of them a number, one of them a metric's name. A
row is a line with as many cells, in which every metric's cell is a number. Cells are parted by a
tab or by at least two blanks, so that prose is neither. Behind the last column there may be more
(a progress bar). A header holds until another one comes, or until too many lines were no row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filters.numbers import NUMBER, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARTED = re.compile(rb"[ \f]*\t[ \t\f]*|[ \f]{2,}")
_NUMBER_CELL = re.compile(rb"(" + NUMBER + rb")(?![^\s:|,%])")
_AROUND_A_NAME = b"():,|[]'\""
_FEWEST_CELLS = 3
PATIENCE = 10_000
"""Lines; progress bars print many between two rows of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A table that rows may still follow."""

    width: int
    """How many columns it has."""
    columns: tuple[tuple[int, str], ...]
    """Which of them, from 0, hold which metrics."""
    patience: int = PATIENCE
    """How many lines more may go by without a row."""


def read_header(line: bytes, names: Iterable[str]) -> Header | None:
    """Return what a line says of the columns to come, or None where it is no header."""
    cells = _PARTED.split(line.strip())
    words = [cell.split(b" ", 1)[0].strip(_AROUND_A_NAME) for cell in cells]
    if len(cells) < _FEWEST_CELLS or any(_NUMBER_CELL.match(cell) for cell in cells):
        return None
    columns = tuple(
        (index, name)
        for name in names
        for index, (cell, word) in enumerate(zip(cells, words, strict=True))
        if name.encode() in (cell, word)
    )
    return Header(width=len(cells), columns=columns) if columns else None


def read_row(line: bytes, header: Header) -> list[tuple[str, str]]:
    """Return the metrics' names and values, left to right, or nothing where it is no row."""
    cells = _PARTED.split(line.strip(), header.width - 1)
    if len(cells) < header.width:
        return []
    values = []
    for index, name in sorted(header.columns):
        match = _NUMBER_CELL.match(cells[index])
        if match is None:
            return []
        values.append((name, plain(match[1])))
    return values
