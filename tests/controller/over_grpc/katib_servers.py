"""Services with Katib's calls alone, served by gRPC, and an experiment to ask them about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from api.types import Experiment, Trial
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from controller.over_grpc.calls import CHANNEL_OPTIONS
from tests.controller.experiment_harness import ExperimentHarness, experiment

T = "2026-01-02T03:04:0{}Z"
POINTS = (
    (T.format(1), "loss", "0.50"),
    (T.format(3), "loss", "nan"),
    (T.format(2), "loss", "0.40"),
    (T.format(2), "other", "7"),
)


async def created(item: Experiment | None = None) -> tuple[Experiment, list[Trial]]:
    harness = ExperimentHarness(item or experiment())
    await harness.settle()
    return harness.experiment, harness.trials


class KatibDbManager(api_pb2_grpc.DBManagerServicer):
    """A DB manager with Katib's calls only; it returns rows out of order."""

    async def GetObservationLog(self, request: Any, _: object) -> Any:  # noqa: N802, ANN401
        found = [
            pb.MetricLog(time_stamp=stamp, metric=pb.Metric(name=name, value=value))
            for stamp, name, value in POINTS
            if name == request.metric_name
        ]
        log = pb.ObservationLog(metric_logs=found)
        return pb.GetObservationLogReply(observation_log=log)


class NamingSearch(api_pb2_grpc.SuggestionServicer):
    """A search that names and labels its trials, and does not validate settings."""

    def __init__(self) -> None:
        self.code: grpc.StatusCode | None = None
        self.requests: list[Any] = []

    async def ValidateAlgorithmSettings(self, _: Any, context: Any) -> Any:  # noqa: N802, ANN401
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")

    async def GetSuggestions(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401
        self.requests.append(request)
        if self.code is not None:
            await context.abort(self.code, "gamma is wrong")
        one = pb.GetSuggestionsReply.ParameterAssignments(
            assignments=[pb.ParameterAssignment(name="lr", value="0.1")],
            trial_name="exp-theirs",
            labels={"generation": "1"},
        )
        return pb.GetSuggestionsReply(parameter_assignments=[one])


@asynccontextmanager
async def channel_to(*servicers: object) -> AsyncIterator[grpc.aio.Channel]:
    """Serve on a free port of this machine, and give a channel to it."""
    server = grpc.aio.server()
    for servicer in servicers:
        if isinstance(servicer, KatibDbManager):
            api_pb2_grpc.add_DBManagerServicer_to_server(servicer, server)
        else:
            api_pb2_grpc.add_SuggestionServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(
            f"127.0.0.1:{port}", options=CHANNEL_OPTIONS
        ) as channel:
            yield channel
    finally:
        await server.stop(None)
