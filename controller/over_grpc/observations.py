"""`controller.driver.ports.Observations`: a DB manager, by gRPC.

It may be ours or Katib's. Katib's has no summaries, so they are computed here from its log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import grpc.aio

from api import names
from api.errors import RemoteError, UserError
from api.timestamps import to_micros
from api.trialwatchv1 import observations_pb2, observations_pb2_grpc
from api.types import MetricPoint, Objective, ObservationLog, Trial
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from api.wire.logs import log_from_wire, log_to_wire
from controller.over_grpc.calls import MAX_BYTES, UnimplementedCallError, call_service
from controller.reconcile.views import MetricSummary
from filters.fold import Folded

_Reply = TypeVar("_Reply")


class RemoteObservations:
    """A DB manager."""

    def __init__(self, channel: grpc.aio.Channel, seconds: float = 30.0, soon: float = 3.0) -> None:
        """`seconds` is the deadline of a call, `soon` that of `latest`."""
        any_channel: Any = channel  # the generated stubs know the synchronous channel only
        self._manager: Any = api_pb2_grpc.DBManagerStub(any_channel)
        self._observations: Any = observations_pb2_grpc.ObservationsStub(any_channel)
        self._seconds, self._soon = seconds, soon

    async def summary(self, trial: Trial) -> Sequence[MetricSummary]:
        """Summarize the objective's metrics."""
        try:
            return await self._summary(trial, self._seconds)
        except UnimplementedCallError:
            return await self._folded(trial)

    async def latest(self, trial: Trial) -> Sequence[MetricSummary]:
        """Summarize them with a short deadline; () for Katib's, which would send the whole log."""
        try:
            return await self._summary(trial, self._soon)
        except UnimplementedCallError:
            return ()

    async def _summary(self, trial: Trial, seconds: float) -> Sequence[MetricSummary]:
        request = observations_pb2.SummaryRequest(
            trial_name=trial.metadata.name, metric_names=_objective(trial).metrics
        )
        reply = await self._call(self._observations.Summary, request, trial, seconds)
        return tuple(
            MetricSummary(
                name=summary.name,
                count=summary.count,
                first=summary.first,
                last=summary.last,
                min=summary.min,
                max=summary.max,
            )
            for summary in reply.metrics
        )

    async def report_unavailable(self, trial: Trial) -> None:
        """Store `unavailable` as the objective's value."""
        point = MetricPoint(_objective(trial).metric, names.UNAVAILABLE, names.UNAVAILABLE_TIME)
        request = pb.ReportObservationLogRequest(
            trial_name=trial.metadata.name,
            observation_log=log_to_wire(ObservationLog(points=(point,))),
        )
        await self._call(self._manager.ReportObservationLog, request, trial)

    async def delete(self, trial: Trial) -> None:
        """Delete all metrics of the trial."""
        request = pb.DeleteObservationLogRequest(trial_name=trial.metadata.name)
        await self._call(self._manager.DeleteObservationLog, request, trial)

    async def _folded(self, trial: Trial) -> tuple[MetricSummary, ...]:
        """Read the whole log of each metric, and summarize it."""
        summaries: list[MetricSummary] = []
        for metric in _objective(trial).metrics:
            request = pb.GetObservationLogRequest(
                trial_name=trial.metadata.name, metric_name=metric
            )
            reply = await self._call(self._manager.GetObservationLog, request, trial)
            try:
                points = log_from_wire(reply.observation_log).points
                ordered = sorted(points, key=lambda point: to_micros(point.timestamp or ""))
            except UserError as error:
                raise RemoteError(f"the DB manager's log of {metric}: {error}") from None
            if ordered:
                summaries.append(_summary(metric, [point.value for point in ordered]))
        return tuple(summaries)

    async def _call(
        self,
        method: Callable[..., Awaitable[_Reply]],
        request: object,
        trial: Trial,
        seconds: float | None = None,
    ) -> _Reply:
        metadata = (
            (names.NAMESPACE_METADATA, trial.metadata.namespace),
            (names.MAX_REPLY_METADATA, str(MAX_BYTES)),
        )
        try:
            longest = self._seconds if seconds is None else seconds
            return await call_service("the DB manager", method, request, longest, metadata)
        except UserError as error:
            # The controller wrote the request, so the error is not the user's.
            raise RemoteError(f"the DB manager refused: {error}") from None


def _summary(metric: str, values: Sequence[str]) -> MetricSummary:
    folded = Folded(count=0, first=values[0], last=values[0])
    for value in values:
        folded = folded.with_value(value)
    return MetricSummary(
        name=metric,
        count=folded.count,
        first=folded.first,
        last=folded.last,
        min=folded.minimum or "",
        max=folded.maximum or "",
    )


def _objective(trial: Trial) -> Objective:
    return trial.spec.objective or Objective()
