"""Reads the points of a report into columns; an error names the entry and the field.

A report may have a million points, and each step in Python costs time. So 500 points at a time are
read column by column, and each rule is checked for the whole column. If a rule fails,
`_check_entry` checks one entry after the other to find the wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, islice
from operator import add
from typing import Generic, TypeVar

from api.errors import UserError
from api.faults import quoted
from api.report_limits import LONGEST_NAME, LONGEST_VALUE, MOST_POINTS
from api.timestamps import FIRST_MICROS, LAST_MICROS, to_micros
from api.v1beta1 import api_pb2 as pb
from dbmanager.store.columns import Columns

PIECE = 500
"""Points that are read in one step of the event loop: less than a millisecond."""
_SECOND = len("2026-01-31T12:00:00")
_ANY_SECOND = "2000-01-01T00:00:00"
_ANY_MICROS = to_micros(f"{_ANY_SECOND}Z")
_MOST_CACHED = 10_000
"""Names, and seconds, of one report; few reports have more."""

T = TypeVar("T")


def read_rows(log: pb.ObservationLog, *, skip_timeless: bool = False) -> Columns:
    """Return the rows of a report, in its order; arguments as `read_pieces` has them.

    Raises:
        UserError: there are too many entries, or an entry has no metric, or a bad time stamp, name
            or value.
    """
    rows = Columns()
    for piece in read_pieces(log, skip_timeless=skip_timeless):
        rows.extend(piece)
    return rows


def read_pieces(log: pb.ObservationLog, *, skip_timeless: bool = False) -> Iterator[Columns]:
    """Yield the rows of a report in pieces of at most `PIECE` rows.

    `skip_timeless`: leave out entries without a time stamp, whatever else they have, as Katib's DB
    manager does.

    Raises:
        UserError: as `read_rows` does.
    """
    check_count(log)
    entries = iter(log.metric_logs)
    known = _Cache(_checked_name)
    stamp_reader = TimestampReader()
    for start in range(0, len(log.metric_logs), PIECE):
        try:
            yield _piece(islice(entries, PIECE), known, stamp_reader, skip_timeless=skip_timeless)
        except UserError:
            for index, entry in enumerate(log.metric_logs[start : start + PIECE], start):
                if entry.time_stamp or not skip_timeless:
                    _check_entry(f"observation_log.metric_logs[{index}]", entry)
            raise


def check_count(log: pb.ObservationLog) -> None:
    """Check how many points a report has.

    Raises:
        UserError: it has too many.
    """
    count = len(log.metric_logs)
    if count > MOST_POINTS:
        raise UserError(
            f"observation_log.metric_logs: {count} points; send at most {MOST_POINTS} in one report"
        )


def check_name(path: str, name: str) -> str:
    """Return a name that every store can keep.

    Raises:
        UserError: the name is empty, too long, or has a NUL.
    """
    if not name:
        raise UserError(f"{path}: missing; send a name of 1 to {LONGEST_NAME} characters")
    check_text(path, name)
    return name


def check_text(path: str, text: str) -> None:
    """Check a name that may be empty.

    Raises:
        UserError: the name is too long, or has a NUL.
    """
    if len(text) > LONGEST_NAME:
        raise UserError(
            f"{path}: {quoted(text)} has {len(text)} characters; send at most {LONGEST_NAME}"
        )
    if "\0" in text:
        raise UserError(f"{path}: {quoted(text)} has a NUL character; remove it")


def read_moment(path: str, text: str) -> int:
    """Return the microseconds since 1970 of a time stamp.

    Raises:
        UserError: the text is not an RFC 3339 time stamp.
    """
    try:
        return to_micros(text)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


class _Cache(dict[str, T], Generic[T]):
    """Values by the text that they were made of; raises what `make` raises."""

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> T:
        made = self._make(text)
        if len(self) < _MOST_CACHED:
            self[text] = made
        return made


class TimestampReader:
    """Reads time stamps as `to_micros` does; several times faster if many share a second.

    The first 19 characters (the second) and the rest (a fraction, an offset) can be read
    independently; only the range of allowed times is checked for their sum.
    """

    def __init__(self) -> None:
        self._seconds = _Cache(lambda text: to_micros(f"{text}Z"))

    def micros(self, texts: Sequence[str]) -> list[int]:
        """Return the microseconds since 1970 of each text.

        Raises:
            UserError: a text is not a time stamp; the error does not say which.
        """
        known = self._seconds
        seconds = [known[text[:_SECOND]] for text in texts]
        micros = list(map(add, seconds, _rests(texts)))
        if micros and not FIRST_MICROS <= min(micros) <= max(micros) <= LAST_MICROS:
            raise UserError("a time is not in the years 0001 to 9999")
        return micros


def _rests(texts: Sequence[str]) -> list[int]:
    """Return the microseconds that follow the second in each text."""
    if "Z" in _heads(texts):  # a whole second, among fractions
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


def _piece(
    entries: Iterable[pb.MetricLog],
    known: _Cache[str],
    stamp_reader: TimestampReader,
    *,
    skip_timeless: bool,
) -> Columns:
    """Read some entries; the error for a wrong entry does not say which it is."""
    stamps: list[str] = []
    names: list[str] = []
    values: list[str] = []
    steps: list[int | None] = []
    add_stamp, add_name, add_value = stamps.append, names.append, values.append
    add_step = steps.append
    # All fields of an entry are read before the next entry, so no entry is kept in memory.
    for entry in entries:
        metric = entry.metric
        add_name(metric.name)  # "" where the metric is not set
        add_value(metric.value)
        add_stamp(entry.time_stamp)
        add_step(entry.step if entry.HasField("step") else None)
    if skip_timeless and not all(stamps):
        names, values = list(compress(names, stamps)), list(compress(values, stamps))
        steps = list(compress(steps, stamps))
        stamps = [stamp for stamp in stamps if stamp]
    if "\0" in "".join(values):
        raise UserError("a value holds a NUL character")
    if max(map(len, values), default=0) > LONGEST_VALUE:
        raise UserError("a value is too long")
    if any(step is not None and step < 0 for step in steps):
        raise UserError("a step is negative")
    return Columns(stamp_reader.micros(stamps), [known[name] for name in names], values, steps)


def _checked_name(name: str) -> str:
    return check_name("metric.name", name)


def _check_entry(path: str, entry: pb.MetricLog) -> None:
    """Raise a `UserError` for the first fault of one entry."""
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
            f"{path}.metric.value: {quoted(entry.metric.value)} has a NUL character, which"
            " databases cannot store; remove it"
        )
    if len(entry.metric.value) > LONGEST_VALUE:
        raise UserError(
            f"{path}.metric.value: {quoted(entry.metric.value)} has {len(entry.metric.value)}"
            f" characters; send at most {LONGEST_VALUE}"
        )
    if entry.step < 0:
        raise UserError(f"{path}.step: {entry.step} is negative; send 0 or more, or leave it out")
