"""Writes rows as messages, and limits their size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from api import names
from api.errors import UserError
from api.timestamps import from_micros
from api.trialwatchv1 import observations_pb2 as pb_observations
from api.v1beta1 import api_pb2 as pb
from dbmanager.store.contract import Row, Summary

REPLY_BYTES = 16 * 1024 * 1024
"""Of all replies under way, and the most that the caller of one reply may ask for."""
SMALL_REPLY = 2 * 1024 * 1024
"""Bytes that each read takes of them; a read that needs more begins anew."""
_OVERHEAD = 48
"""Bytes of an entry without its texts: the time stamp, tags and lengths."""
_STEP = 12
"""Bytes of a step with its tag, at most."""
_FRAME = 16
"""Bytes around the entries of a reply, at most."""


class ReplyTooLarge(UserError):
    """A reply would have more bytes than the caller accepts."""

    def __init__(self, trial: str, limit: int) -> None:
        super().__init__(
            f"trial_name: the log of {trial!r} is larger than {limit} bytes in one reply: read it"
            " in pages with trialwatch.v1.Observations.Read, ask for one metric or a shorter time,"
            f" or allow more (metadata {names.MAX_REPLY_METADATA}, or the server's --max-reply)"
        )


class LogReply:
    """A log that grows chunk by chunk, up to a limit in bytes."""

    def __init__(self, trial: str, limit: int) -> None:
        self._trial, self._limit = trial, limit
        self._size = _FRAME
        self.log = pb.ObservationLog()

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows.

        Raises:
            ReplyTooLarge: the reply would exceed its limit.
        """
        chunk = log_of(rows)
        self._size += chunk.ByteSize()
        if self._size > self._limit:
            raise ReplyTooLarge(self._trial, self._limit)
        self.log.MergeFrom(chunk)


def log_of(rows: Iterable[Row]) -> pb.ObservationLog:
    """Return rows as Katib's message."""
    log = pb.ObservationLog()
    add = log.metric_logs.add
    for _, micros, name, value, step in rows:
        metric = add(time_stamp=from_micros(micros), step=step).metric
        metric.name = name
        metric.value = value
    return log


def pieces(rows: Sequence[Row], limit: int) -> Iterator[Sequence[Row]]:
    """Cut rows into pieces of at most `limit` bytes each, or of one row."""
    start, size = 0, 0
    for index, row in enumerate(rows):
        row_size = _OVERHEAD + len(row.metric.encode()) + len(row.value.encode())
        row_size += 0 if row.step is None else _STEP
        if size + row_size > limit and index > start:
            yield rows[start:index]
            start, size = index, 0
        size += row_size
    if start < len(rows):
        yield rows[start:]


def summary_of(summary: Summary) -> pb_observations.MetricSummary:
    """Return the message of one metric's summary."""
    return pb_observations.MetricSummary(
        name=summary.metric,
        count=summary.count,
        first=summary.first,
        last=summary.last,
        min=summary.minimum or "",
        max=summary.maximum or "",
        first_time=from_micros(summary.first_micros),
        last_time=from_micros(summary.last_micros),
        first_step=summary.first_step,
        last_step=summary.last_step,
        min_step=summary.minimum_step,
        max_step=summary.maximum_step,
    )
