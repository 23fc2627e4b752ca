"""`controller.driver.ports.TrialPoints`: the streams and pages of trialwatch's DB manager.

A client may have some streams at a time. What more it follows is read from time to time: each
second, or less often if a read takes long.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

import grpc.aio

from api import names
from api.errors import RemoteError, Unavailable, UserError
from api.timestamps import to_micros
from api.trialwatchv1 import observations_pb2, observations_pb2_grpc
from api.types import Trial
from api.v1beta1 import api_pb2 as pb
from controller.driver.ports import StoredPoint
from controller.over_grpc.calls import call_service, remote_error
from stopping.curves import Point

_SERVICE: Final = "the DB manager"
_REST: Final = 9.0
"""Reads of a trial without a stream take a tenth of the time at most."""


class RemoteTrialPoints:
    """A DB manager; Katib's has no such streams, and answers UNIMPLEMENTED."""

    def __init__(self, channel: grpc.aio.Channel, seconds: float = 30.0, poll: float = 1.0) -> None:
        """Make it.

        Args:
            channel: to the DB manager.
            seconds: the deadline of a call that reads a page.
            poll: seconds between two reads of a trial without a stream.
        """
        any_channel: Any = channel  # the generated stubs know the synchronous channel only
        self._observations: Any = observations_pb2_grpc.ObservationsStub(any_channel)
        self._seconds, self._poll = seconds, poll

    async def watch(
        self, trial: Trial, metrics: Sequence[str]
    ) -> AsyncGenerator[Sequence[StoredPoint]]:
        """Yield the stored points, then new ones as they are stored, or soon after."""
        begun = False
        try:
            async with aclosing(self._streamed(trial, metrics)) as stream:
                async for points in stream:
                    begun = True
                    yield points
        except grpc.aio.AioRpcError as error:
            if begun or error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise remote_error(_SERVICE, error) from None
        async with aclosing(self._polled(trial, metrics)) as polled:
            async for points in polled:
                yield points

    async def _streamed(
        self, trial: Trial, metrics: Sequence[str]
    ) -> AsyncGenerator[Sequence[StoredPoint]]:
        request = observations_pb2.WatchRequest(
            trial_name=trial.metadata.name, metric_names=metrics
        )
        stream = self._observations.Watch(request, metadata=_metadata(trial))
        try:
            async for reply in stream:
                yield _points(reply.metric_logs)
        finally:
            stream.cancel()
        raise Unavailable(f"{_SERVICE} has ended the stream")

    async def _polled(
        self, trial: Trial, metrics: Sequence[str]
    ) -> AsyncGenerator[Sequence[StoredPoint]]:
        clock, seen = asyncio.get_running_loop().time, Counter[str]()
        while True:
            begun = clock()
            found = await self.read(trial, metrics)
            counts = Counter(one.metric for one in found)
            if seen - counts:
                raise Unavailable(f"the training of {trial.metadata.name} was started again")
            new = [
                one
                for metric in metrics
                for one in [each for each in found if each.metric == metric][seen[metric] :]
            ]
            if new:
                yield new
            seen = counts
            await asyncio.sleep(max(self._poll, _REST * (clock() - begun)))

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
