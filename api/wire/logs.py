"""Observation logs on the wire."""

from __future__ import annotations

from api.errors import UserError
from api.faults import shown
from api.types import MetricPoint, ObservationLog
from api.v1beta1 import api_pb2 as pb
from api.wire.messages import made


def log_to_wire(log: ObservationLog) -> pb.ObservationLog:
    """Write a log; each point must have a timestamp.

    Raises:
        UserError: a point has no timestamp, or a text is not valid Unicode.
    """
    message = pb.ObservationLog()
    add = message.metric_logs.add
    try:
        for name, value, timestamp, step in log.points:
            entry = add(time_stamp=timestamp, step=step)
            metric = entry.metric
            metric.name = name
            metric.value = value
            if not timestamp:
                raise _without_timestamp(len(message.metric_logs) - 1, name)
    except UnicodeEncodeError:
        for index, point in enumerate(log.points):
            _refuse_if_unfit(index, point)
        raise
    return message


def log_from_wire(message: pb.ObservationLog) -> ObservationLog:
    """Read a log; timestamps are not checked to be RFC 3339.

    Raises:
        UserError: an entry has no metric or no timestamp.
    """
    points: list[MetricPoint] = []
    for entry in message.metric_logs:
        metric = entry.metric
        name, timestamp = metric.name, entry.time_stamp
        if not timestamp:
            raise _without_timestamp(len(points), name)
        if not name and not entry.HasField("metric"):
            raise UserError(f"metric_logs[{len(points)}].metric: missing; send name and value")
        step = entry.step if entry.HasField("step") else None
        points.append(MetricPoint(name, metric.value, timestamp, step))
    return ObservationLog(points=tuple(points))


def _refuse_if_unfit(index: int, point: MetricPoint) -> None:
    try:
        made(pb.Metric, name=point.name, value=point.value)
        made(pb.MetricLog, time_stamp=point.timestamp)
    except UserError as error:
        raise UserError(f"metric_logs[{index}]: {error}") from None


def _without_timestamp(index: int, name: str) -> UserError:
    return UserError(
        f"metric_logs[{index}].time_stamp: missing for metric {shown(name)};"
        " send an RFC 3339 timestamp, such as 2026-01-31T12:00:00Z"
    )
