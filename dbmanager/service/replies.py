"""From rows to the wire, in pieces that have a size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from api import names
from api.errors import UserError
from api.timestamps import from_micros
from api.trialwatchv1 import observations_pb2 as ours
from api.v1beta1 import api_pb2 as pb
from dbmanager.store.contract import Row, Summary

_OVERHEAD = 48
"""Bytes of an entry beside its texts: the time stamp, tags and lengths."""
_FRAME = 16
"""Bytes around the entries of a reply, at most."""


class TooLarge(UserError):
    """A reply would have more bytes than the caller takes."""

    def __init__(self, trial: str, limit: int) -> None:
        super().__init__(
            f"trial_name: the log of {trial!r} is larger than {limit} bytes in one reply: read it"
            " in pages with trialwatch.v1.Observations.Read, name a metric or a span of time,"
            f" or take more (metadata {names.MAX_REPLY_METADATA}, or the server's --max-reply)"
        )


class LogReply:
    """A log that grows chunk by chunk and never above its limit."""

    def __init__(self, trial: str, limit: int) -> None:
        self._trial, self._limit = trial, limit
        self._size = _FRAME
        self.log = pb.ObservationLog()

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows.

        Raises:
            TooLarge: the reply would be.
        """
        chunk = log_of(rows)
        self._size += chunk.ByteSize()
        if self._size > self._limit:
            raise TooLarge(self._trial, self._limit)
        self.log.MergeFrom(chunk)


def log_of(rows: Iterable[Row]) -> pb.ObservationLog:
    """Write rows as Katib's log."""
    log = pb.ObservationLog()
    add = log.metric_logs.add
    for _, micros, name, value in rows:
        metric = add(time_stamp=from_micros(micros)).metric
        metric.name = name
        metric.value = value
    return log


def pieces(rows: Sequence[Row], limit: int) -> Iterator[Sequence[Row]]:
    """Cut rows so that each piece stays below a number of bytes, or is one row."""
    start, size = 0, 0
    for index, row in enumerate(rows):
        weight = _OVERHEAD + len(row.metric.encode()) + len(row.value.encode())
        if size + weight > limit and index > start:
            yield rows[start:index]
            start, size = index, 0
        size += weight
    if start < len(rows):
        yield rows[start:]


def summary_of(summary: Summary) -> ours.MetricSummary:
    """Write the summary of one metric."""
    return ours.MetricSummary(
        name=summary.metric,
        count=summary.count,
        first=summary.first,
        last=summary.last,
        min=summary.minimum or "",
        max=summary.maximum or "",
        first_time=from_micros(summary.first_micros),
        last_time=from_micros(summary.last_micros),
    )
