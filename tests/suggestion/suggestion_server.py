"""The suggestion service in this process, with a store that a test fills."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc.aio

from api.errors import RemoteError, UserError
from api.v1beta1 import api_pb2_grpc
from serving.addresses import Address
from suggestion.server import Server


@dataclass(slots=True)
class Rim:
    """What the service uses from outside: logs by trial, and the trials that it marks."""

    logs: dict[str, list[str]] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)

    async def values(
        self, manager: Address, namespace: str, trial: str, metric: str
    ) -> Sequence[str]:
        if namespace:
            trial = f"{namespace}/{trial}"
        if trial not in self.logs:
            raise RemoteError(f"{manager} has no {metric} of {trial}")
        self.reads.append(trial)
        return self.logs[trial]

    async def mark(self, namespace: str, trial: str) -> None:
        if trial == "absent":
            raise UserError("trial_name: there is no trial default/absent")
        self.marked.append(f"{namespace}/{trial}" if namespace else trial)


@dataclass(frozen=True, slots=True)
class Client:
    """Stubs of one channel, and the fakes behind the server."""

    rim: Rim
    channel: grpc.aio.Channel
    suggestion: Any
    stopping: Any
    address: str


@asynccontextmanager
async def serving(rim: Rim | None = None) -> AsyncIterator[Client]:
    """Serve on a free port of this machine."""
    rim = rim or Rim()
    server = Server(rim, rim.mark)
    address = server.listen(Address(host="127.0.0.1", port=0))
    await server.start()
    try:
        async with grpc.aio.insecure_channel(str(address)) as channel:
            yield Client(
                rim,
                channel,
                api_pb2_grpc.SuggestionStub(channel),
                api_pb2_grpc.EarlyStoppingStub(channel),
                str(address),
            )
    finally:
        await server.stop(5)
