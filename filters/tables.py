r"""Tables: the names stand once, in a header above columns of numbers.

    epoch     train_loss  valid_loss  accuracy  time      fastai, skorch, ultralytics, caret
    0         0.155134    0.091220    0.970000  00:12

    | epoch | loss | acc |      epoch,loss,acc      RMSE  Rsquared
    |------:|-----:|----:|      0,0.5,0.9           0.54      0.88
    | 1     | 0.5  | 0.9 |

A header is a line in which no cell is a number, and one cell is a metric's name. Bars, commas, a
tab, at least two blanks, or single blanks separate its cells. A row has as many cells, and each
metric's cell is a number; or each of its cells ends below the end of a word of the header, as R and
pandas print them, also with the row's name before it.

A row whose first cell is a word belongs to one class or model. It counts only if the word is `all`,
`mean` or the like; a row of `train` or `val` does not. A progress bar is not a part of a line.

A header is valid until the next header, or until too many lines in a row are not rows: many lines
for a table that prose cannot look like, none for all others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from filters.numbers import NUMBER, plain
from filters.table_cells import (
    BAR,
    ONE_CELL,
    ONE_NUMBER,
    ONE_WORD,
    PROGRESS_BAR,
    bar_cells,
    comma_cells,
    ends_of,
    gap_cells,
    has_number,
    is_rule,
    split_prefix,
    text_of,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BLANKS, COMMAS, BARS, SECTION, LIST = "blanks", "commas", "bars", "section", "list"
"""What separates the cells of a table. A section has names in its rows, and a title above them; a
list is one of R's, in which each name has a line of its own."""

_INDEX = re.compile(rb"\[?\d+[\],:.]*\Z|(?i:epoch|step|iter\w*|round)\W?\d+\Z")
_WORD = re.compile(rb"[A-Za-z_\"'].*", re.DOTALL)
_TITLE = re.compile(rb"\|[ ]+([^\s|]+/)[ ]+\|[ ]+\|[ \t]*\Z")
_ENTRY = re.compile(rb"\|[ ]{2,}([^|]*[^|\s])[ ]*\|[ ]*(" + NUMBER + rb")[ ]*\|[ \t]*\Z")

_UNIT = re.compile(rb"[ ]+[(\[][^()\[\]]*[)\]]\Z")

_ITEM = re.compile(rb"\[1\][ ](" + NUMBER + rb")[ \t]*\Z")
_AROUND_A_NAME = b"():,|[]'\"*` "
_SUMMARIES = frozenset((b"all", b"overall", b"total", b"mean", b"average", b"avg"))
_SPLITS = re.compile(rb"(?i:train|val|valid|test|eval|dev|training|validation|testing)\Z")
_MISSING = frozenset((b"", b"-", b"--", b"NA", b"None", b"n/a"))
_MIN_CELLS = 3
LONGEST_ROW = 1 << 12
"""Bytes; longer lines are neither headers nor rows."""
PATIENCE = 10_000
"""Lines. A progress bar can print many of them between two rows of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableHeader:
    """An open table: rows may still follow."""

    columns: tuple[tuple[int, str], ...]
    """Pairs of a column's index, from 0, and the metric in it; the index is 0 in a section."""
    width: int
    """The number of columns."""
    separator: str = BLANKS
    prefix: str = ""
    """The text before the first cell, with 0 for each run of digits; a section's title."""
    ends: tuple[int, ...] = ()
    """Where the header's words end, if they are separated by blanks: numbers of characters."""
    edges: tuple[tuple[int, str], ...] = ()
    """Pairs of the place where a metric's name ends, and the metric."""
    patience: int = PATIENCE
    """How many more lines without a row the table stays open."""

    def after(self, *, row: bool, line: bytes) -> TableHeader | None:
        """Return the header as it is after one more line; None where the table ends there.

        Behind a blank line, or a line of words, no row's place counts: another table may follow.
        """
        if self.patience == 1:
            return self if row or is_rule(line) else None
        edges = self.edges if row or is_rule(line) or has_number(line) else ()
        return replace(self, edges=edges, patience=PATIENCE if row else self.patience - 1)


def read_header(line: bytes, names: Iterable[str]) -> TableHeader | None:
    """Return the header that a line is, or None where the line is not a header."""
    if len(line) > LONGEST_ROW:
        return None
    line = PROGRESS_BAR.sub(b"", line)
    names = tuple(names)
    if line.startswith(b"$"):
        return _read_list(line, names)
    if BAR.search(line):
        return _read_bars(line, names) or _read_blanks(BAR.sub(b" ", line), names)
    return (_read_commas(line, names) if b"," in line else None) or _read_blanks(line, names)


def read_title(line: bytes, names: Iterable[str]) -> TableHeader | None:
    """Return a section of a table as Stable-Baselines3 prints it: `| rollout/ |   |`."""
    match = _TITLE.match(line)
    if match is None:
        return None
    title = match[1].decode("utf-8", "replace")
    columns = tuple((0, name) for name in names if name.startswith(title))
    header = TableHeader(width=2, columns=columns, separator=SECTION, prefix=title, patience=1)
    return header if columns else None


def read_row(line: bytes, header: TableHeader) -> list[tuple[str, str]] | None:
    """Return names and values of the metrics, left to right; None where the line is not a row."""
    if len(line) > LONGEST_ROW:
        return None
    line = PROGRESS_BAR.sub(b"", line)
    if header.separator == SECTION:
        return _read_entry(line, header)
    if header.separator == BARS:
        return _values(bar_cells(line), header)
    if header.separator == COMMAS:
        prefix, rest = split_prefix(line)
        return _values(comma_cells(rest), header) if prefix == header.prefix else None
    if header.separator == LIST:
        item = _ITEM.match(line)
        return [(header.columns[0][1], plain(item[1]))] if item else None
    line = BAR.sub(b" ", line)
    by_gaps = _values(whole(gap_cells(line), header.width), header)
    return by_gaps if by_gaps is not None else _by_place(line, header)


def replaces(line: bytes, header: TableHeader) -> bool:
    """Return whether the line is the header of another table, whose rows may look like ours."""
    if header.separator != BLANKS or len(line) > LONGEST_ROW or is_rule(line):
        return False
    cells = gap_cells(PROGRESS_BAR.sub(b"", line))
    return len(cells) >= _MIN_CELLS and not any(map(ONE_NUMBER.match, cells))


def _read_list(line: bytes, names: Sequence[str]) -> TableHeader | None:
    columns = tuple((0, name) for name in names if name.encode() == line[1:].strip())
    return TableHeader(width=1, columns=columns, separator=LIST, patience=1) if columns else None


def _read_bars(line: bytes, names: Sequence[str]) -> TableHeader | None:
    cells = bar_cells(line)
    columns = _columns(cells, names, at_least=2)
    framed = BAR.match(line.strip()) is not None
    if columns is None:
        return None
    patience = PATIENCE if framed else 1
    return TableHeader(width=len(cells), columns=columns, separator=BARS, patience=patience)


def _read_commas(line: bytes, names: Sequence[str]) -> TableHeader | None:
    prefix, rest = split_prefix(line)
    cells = comma_cells(rest)
    columns = _columns(cells, names, at_least=2)
    of_words = b" " not in b"".join(cells)
    if columns is None or (len(cells) < _MIN_CELLS and not of_words):
        return None
    patience = PATIENCE if len(cells) >= _MIN_CELLS and of_words else 1
    return TableHeader(
        width=len(cells), columns=columns, separator=COMMAS, prefix=prefix, patience=patience
    )


def _read_blanks(line: bytes, names: Sequence[str]) -> TableHeader | None:
    cells = gap_cells(line)
    words = [(match.end(), match[0]) for match in ONE_WORD.finditer(text_of(line))]
    if any(ONE_NUMBER.match(word.encode()) for _, word in words):
        return None
    ends = tuple(end for end, _ in words)
    edges = tuple((match.end(), name) for name in names if (match := _only(name, text_of(line))))
    columns = _columns(cells, names, at_least=_MIN_CELLS)
    if not columns and not edges:
        return None
    patience = PATIENCE if columns else 1
    return TableHeader(
        width=len(cells), columns=columns or (), ends=ends, edges=edges, patience=patience
    )


def _columns(
    cells: Sequence[bytes], names: Sequence[str], at_least: int
) -> tuple[tuple[int, str], ...] | None:
    """Return the columns of the metrics; None if the cells are not a header with one of them."""
    if len(cells) < at_least or any(map(ONE_NUMBER.match, cells)):
        return None
    words = [_UNIT.sub(b"", cell).strip(_AROUND_A_NAME) for cell in cells]
    columns = []
    for name in names:
        encoded = name.encode()
        places = [index for index, cell in enumerate(cells) if cell == encoded]
        places = places or [index for index, word in enumerate(words) if word == encoded]
        if len(places) == 1:
            columns.append((places[0], name))
    return tuple(sorted(columns)) or None


def _values(cells: Sequence[bytes], header: TableHeader) -> list[tuple[str, str]] | None:
    """Return the metrics of a row that has one cell for each column."""
    if len(cells) != header.width or not header.columns:
        return None
    wanted = dict(header.columns)
    values = []
    for index, name in header.columns:
        number = ONE_NUMBER.match(cells[index])
        if number is not None:
            values.append((name, plain(number[1])))
        elif cells[index] not in _MISSING:
            return None
    named = [cell for index, cell in enumerate(cells) if index not in wanted]
    return values if _counts(named, first=0 not in wanted) else []


def _by_place(line: bytes, header: TableHeader) -> list[tuple[str, str]] | None:
    """Return the metrics of a row whose cells are as many as the header's words, or below them."""
    if not header.edges:
        return None
    words, cells = ends_of(ONE_WORD, line), ends_of(ONE_CELL, line)
    if len(words) == len(header.ends) > 1 and all(ONE_NUMBER.match(word) for _, word in words):
        numbers = [word for _, word in words]
        return _below(dict(zip(header.ends, numbers, strict=True)), header)
    for row in (words, cells):
        first = int(len(row) > 1 and row[0][0] < header.ends[0])
        if row and b"\t" not in line and {end for end, _ in row[first:]} <= set(header.ends):
            values = _below(dict(row), header)
            return values if not values or _counts([row[0][1]], first=bool(first)) else []
    return None


def _below(cells: dict[int, bytes], header: TableHeader) -> list[tuple[str, str]] | None:
    """Return the metrics whose names end where a number ends; None if there are none."""
    found = [(name, ONE_NUMBER.match(cells.get(end, b""))) for end, name in sorted(header.edges)]
    return [(name, plain(number[1])) for name, number in found if number] or None


def _counts(cells: Sequence[bytes], *, first: bool) -> bool:
    """Return whether a row is of all data, judged by the cells that are not metrics."""
    if any(map(_SPLITS.match, cells)):
        return False
    label = cells[0].strip(_AROUND_A_NAME) if first and cells else b"0"
    is_name = _WORD.match(label) and not _INDEX.match(label) and not ONE_NUMBER.match(label)
    return label.lower() in _SUMMARIES if is_name else bool(label)


def _read_entry(line: bytes, header: TableHeader) -> list[tuple[str, str]] | None:
    match = _ENTRY.match(line)
    if match is None:
        return None
    name = header.prefix + match[1].decode("utf-8", "replace")
    return [(name, plain(match[2]))] if name in dict(header.columns).values() else []


def _only(name: str, text: str) -> re.Match[str] | None:
    """Return where the name stands in the text between blanks, if it is there once."""
    matches = list(re.finditer(rf"(?<!\S){re.escape(name)}(?!\S)", text))
    return matches[0] if len(matches) == 1 else None
