"""The points of a report: from the wire to columns, and a refusal that names entry and field.

A report may have a million points, and Python takes its time for each step of each. So a piece of
some hundred points is read column by column, and what all its points must be is asked of the whole
column. Where any answer is no, `_check_entry` looks at one entry after the other and says which is
wrong, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import add
from typing import Generic, TypeVar

from api.errors import UserError
from api.faults import quoted
from api.timestamps import FIRST_MICROS, LAST_MICROS, to_micros
from api.v1beta1 import api_pb2 as pb
from dbmanager.store.columns import Columns
from dbmanager.store.contract import LONGEST_NAME

PIECE = 500
"""Points that are read at once: well below a millisecond; then others may have their turn."""
_SECOND = len("2026-01-31T12:00:00")
_ANY_SECOND = "2000-01-01T00:00:00"
_ANY_MICROS = to_micros(f"{_ANY_SECOND}Z")
_REMEMBERED = 10_000
"""Names and seconds; a report seldom has more."""

T = TypeVar("T")


def read_rows(log: pb.ObservationLog) -> Columns:
    """Return the rows of a report, in its order.

    Raises:
        UserError: an entry lacks its metric, has a bad time stamp, name or value.
    """
    rows = Columns()
    for piece in pieces_of(log):
        rows.extend(piece)
    return rows


def pieces_of(log: pb.ObservationLog) -> Iterator[Columns]:
    """Give the rows of a report in pieces, so that it need not be read in one go.

    Raises:
        UserError: as `read_rows`.
    """
    entries = iter(log.metric_logs)
    known = _Known(_checked_name)
    moments = Moments()
    for start in range(0, len(log.metric_logs), PIECE):
        try:
            yield _piece(islice(entries, PIECE), known, moments)
        except UserError:
            for index, entry in enumerate(log.metric_logs[start : start + PIECE], start):
                _check_entry(f"observation_log.metric_logs[{index}]", entry)
            raise


def check_name(path: str, name: str) -> str:
    """Return a name that can be kept.

    Raises:
        UserError: it is empty, too long, or holds a NUL.
    """
    if not name:
        raise UserError(f"{path}: missing; send a name of 1 to {LONGEST_NAME} characters")
    check_text(path, name)
    return name


def check_text(path: str, text: str) -> None:
    """Look at a name, which may be empty.

    Raises:
        UserError: it is too long, or holds a NUL.
    """
    if len(text) > LONGEST_NAME:
        raise UserError(
            f"{path}: {quoted(text)} has {len(text)} characters; at most {LONGEST_NAME} are kept"
        )
    if "\0" in text:
        raise UserError(f"{path}: {quoted(text)} holds a NUL character; remove it")


def read_moment(path: str, text: str) -> int:
    """Return the microseconds of a time stamp.

    Raises:
        UserError: it is none.
    """
    try:
        return to_micros(text)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


class _Known(dict[str, T], Generic[T]):
    """What was made of texts before; raises what making it raises."""

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> T:
        made = self._make(text)
        if len(self) < _REMEMBERED:
            self[text] = made
        return made


class Moments:
    """Reads time stamps as `to_micros` does, several times faster where they are of few seconds.

    Whether the first 19 characters are a second, and what the rest adds to it, be it a fraction or
    an offset, does not depend on each other; but for the range that a moment must be in.
    """

    def __init__(self) -> None:
        self._seconds = _Known(lambda text: to_micros(f"{text}Z"))

    def micros(self, texts: Sequence[str]) -> list[int]:
        """Return the microseconds since 1970 of each.

        Raises:
            UserError: one of them is no time stamp; it does not say which.
        """
        known = self._seconds
        seconds = [known[text[:_SECOND]] for text in texts]
        micros = list(map(add, seconds, _rests(texts)))
        if micros and not FIRST_MICROS <= min(micros) <= max(micros) <= LAST_MICROS:
            raise UserError("a moment is not in the years 0001 to 9999")
        return micros


def _rests(texts: Sequence[str]) -> list[int]:
    """Return what follows the seconds, in microseconds."""
    if "Z" in _heads(texts):  # whole seconds, among fractions whose zeros were left out
        texts = [f"{text[:-1]}.0Z" if text[_SECOND:] == "Z" else text for text in texts]
    digits = [text[_SECOND + 1 : -1] for text in texts]
    joined = "".join(digits)
    are_fractions = (
        _heads(texts) == {"."}
        and {text[-1:] for text in texts} == {"Z"}
        and joined.isascii()
        and joined.isdecimal()
        and all(digits)
    )
    if are_fractions:
        return [int(fraction[:6].ljust(6, "0")) for fraction in digits]
    return [to_micros(_ANY_SECOND + text[_SECOND:]) - _ANY_MICROS for text in texts]


def _heads(texts: Iterable[str]) -> set[str]:
    return {text[_SECOND : _SECOND + 1] for text in texts}


def _piece(entries: Iterable[pb.MetricLog], known: _Known[str], moments: Moments) -> Columns:
    """Read some entries; refuse them where any is wrong, without saying which."""
    stamps: list[str] = []
    names: list[str] = []
    values: list[str] = []
    add_stamp, add_name, add_value = stamps.append, names.append, values.append
    # An entry is asked for all that is in it before the next one comes: so none is kept alive.
    for entry in entries:
        metric = entry.metric
        add_name(metric.name)  # "" where the metric is not set
        add_value(metric.value)
        add_stamp(entry.time_stamp)
    if "\0" in "".join(values):
        raise UserError("a value holds a NUL character")
    return Columns(moments.micros(stamps), [known[name] for name in names], values)


def _checked_name(name: str) -> str:
    return check_name("metric.name", name)


def _check_entry(path: str, entry: pb.MetricLog) -> None:
    """Refuse what is wrong with one entry."""
    if not entry.HasField("metric"):
        raise UserError(f"{path}.metric: missing; send name and value")
    check_name(f"{path}.metric.name", entry.metric.name)
    if not entry.time_stamp:
        raise UserError(
            f"{path}.time_stamp: missing for metric {quoted(entry.metric.name)};"
            " send an RFC 3339 timestamp, such as 2026-01-31T12:00:00Z"
        )
    read_moment(f"{path}.time_stamp", entry.time_stamp)
    if "\0" in entry.metric.value:
        raise UserError(
            f"{path}.metric.value: {quoted(entry.metric.value)} holds a NUL character;"
            " databases cannot keep it: remove it"
        )
