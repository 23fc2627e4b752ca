"""`controller.driver.ports.TrialPoints`: the streams and pages of trialwatch's DB manager."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import grpc.aio

from api import names
from api.errors import RemoteError, UserError
from api.timestamps import to_micros
from api.trialwatchv1 import observations_pb2, observations_pb2_grpc
from api.types import Trial
from api.v1beta1 import api_pb2 as pb
from controller.driver.ports import StoredPoint
from controller.over_grpc.calls import call_service, remote_error
from stopping.curves import Point

_SERVICE = "the DB manager"


class RemoteTrialPoints:
    """A DB manager; Katib's has no such streams, and answers UNIMPLEMENTED."""

    def __init__(self, channel: grpc.aio.Channel, seconds: float = 30.0) -> None:
        """`seconds` is the deadline of a call that reads a page."""
        any_channel: Any = channel  # the generated stubs know the synchronous channel only
        self._observations: Any = observations_pb2_grpc.ObservationsStub(any_channel)
        self._seconds = seconds

    async def watch(
        self, trial: Trial, metrics: Sequence[str]
    ) -> AsyncGenerator[Sequence[StoredPoint]]:
        """Yield the stored points, then new ones as they are stored."""
        request = observations_pb2.WatchRequest(
            trial_name=trial.metadata.name, metric_names=metrics
        )
        stream = self._observations.Watch(request, metadata=_metadata(trial))
        try:
            async for reply in stream:
                yield _points(reply.metric_logs)
        except grpc.aio.AioRpcError as error:
            raise remote_error(_SERVICE, error) from None
        finally:
            stream.cancel()

    async def read(self, trial: Trial, metrics: Sequence[str]) -> Sequence[StoredPoint]:
        """Return the points that count, metric by metric."""
        found: list[StoredPoint] = []
        for metric in metrics:
            token = ""
            while True:
                request = observations_pb2.ReadRequest(
                    trial_name=trial.metadata.name, metric_name=metric, page_token=token
                )
                reply = await self._page(request, trial)
                found += _points(reply.observation_log.metric_logs)
                token = reply.next_page_token
                if not token:
                    break
        return found

    async def _page(self, request: object, trial: Trial) -> Any:  # noqa: ANN401 - generated
        method = self._observations.Read
        try:
            return await call_service(_SERVICE, method, request, self._seconds, _metadata(trial))
        except UserError as error:
            # The controller wrote the request, so the error is not the user's.
            raise RemoteError(f"{_SERVICE} refused: {error}") from None


def _metadata(trial: Trial) -> tuple[tuple[str, str], ...]:
    return ((names.NAMESPACE_METADATA, trial.metadata.namespace),)


def _points(logs: Sequence[pb.MetricLog]) -> list[StoredPoint]:
    return [
        StoredPoint(
            log.metric.name,
            Point(
                value=log.metric.value,
                step=log.step if log.HasField("step") else None,
                micros=to_micros(log.time_stamp),
            ),
        )
        for log in logs
    ]
