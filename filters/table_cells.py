"""The cells of a table's line: by gaps, bars, commas, or by the places where they end."""

from __future__ import annotations

import re

from filters.numbers import NUMBER, PROGRESS

_GAP = re.compile(rb"[ \f]*\t[ \t\f]*|[ \f]{2,}")
BAR = re.compile(rb"\|(?<!\|\|)(?!\|)|\xe2\x94[\x82\x83]|\xe2\x95\x91")
_RULE = re.compile(rb"(?>(?:[-+=|:_ \t~*]|\xe2[\x94\x95][\x80-\xbf])*)\Z")
_COLUMN_TYPE = re.compile(rb"<?(?:U?Int|Float|Bool|String|dbl|int|chr|lgl|fct)\d*\??>?\Z|\||\xe2")
PROGRESS_BAR = re.compile(rb":?[ \t]*+\d++(?:\.\d++)?" + PROGRESS + rb".*", re.DOTALL)
ONE_NUMBER = re.compile(
    rb"[*`]{0,2}(" + NUMBER + rb")[*`]{0,2}(?:%|s|ms|us)?(?:[ \t]*(?:\(|\xc2\xb1|\+).*)?\Z",
    re.DOTALL,
)
_PREFIX = re.compile(rb"(?:.*[\])>|:-]|\d{4}-\d\d-\d\dT\S+)[ \t]")
_DIGITS = re.compile(rb"\d+")
ONE_WORD, ONE_CELL = re.compile(r"\S+"), re.compile(r"\S+(?: \S+)*")
_CUT = "…".encode()


def gap_cells(line: bytes) -> list[bytes]:
    """Return the cells between tabs, or between two blanks or more."""
    return _GAP.split(line.strip())


def whole(cells: list[bytes], width: int) -> list[bytes]:
    """Return the cells of a row that a narrow terminal has cut, with empty ones for the rest."""
    if not cells[-1].endswith(_CUT) or len(cells) > width:
        return cells
    return cells[:-1] + [b""] * (width - len(cells) + 1)


def bar_cells(line: bytes) -> list[bytes]:
    """Return the cells between bars, without the frame around them."""
    cells = [cell.strip() for cell in BAR.split(line.strip())]
    start, end = int(not cells[0]), len(cells) - int(not cells[-1])
    return cells[start:end]


def comma_cells(text: bytes) -> list[bytes]:
    """Return the cells between commas, without quotes around them."""
    return [cell.strip().strip(b"\"'") for cell in text.split(b",")]


def split_prefix(line: bytes) -> tuple[str, bytes]:
    """Return the text before the first cell, with 0 for digits, and the cells."""
    head, comma, rest = line.partition(b",")
    match = _PREFIX.match(head)
    border = match.end() if match else 0
    prefix = _DIGITS.sub(b"0", head[:border]).decode("utf-8", "replace")
    return prefix, head[border:] + comma + rest


def is_rule(line: bytes) -> bool:
    """Return whether a line only separates, such as `|---|---|`, or has only types of columns."""
    words = line.split()
    return bool(words) and (_RULE.match(line) is not None or all(map(_COLUMN_TYPE.match, words)))


def has_number(line: bytes) -> bool:
    """Return whether one of the words is a number."""
    return any(map(ONE_NUMBER.match, line.split()))


def text_of(line: bytes) -> str:
    """Return the line as characters; places in it are those of a terminal."""
    return line.decode("utf-8", "replace")


def ends_of(pattern: re.Pattern[str], line: bytes) -> list[tuple[int, bytes]]:
    """Return where each match ends, as a number of characters, and the match."""
    return [(match.end(), match[0].encode()) for match in pattern.finditer(text_of(line))]
