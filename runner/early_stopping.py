"""The early-stopping service in the runner, to which collectors report trials they stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio

from api.v1beta1 import api_pb2_grpc
from runner.sockets import address_of
from serving.addresses import Address
from serving.grpc import listen_on_socket
from suggestion.service.early_stopping_service import EarlyStopping

_GRACE = 2.0


class _NoLogs:
    """No logs: `runner.search` computes the rules, so no client requests them here."""

    async def values(
        self, manager: Address, namespace: str, trial: str, metric: str
    ) -> Sequence[str]:
        del manager, namespace, trial, metric
        return ()


@asynccontextmanager
async def early_stopping(
    mark: Callable[[str], Awaitable[None]], sockets: Path
) -> AsyncIterator[str]:
    """Serve on a Unix socket; yield the address.

    Args:
        mark: marks a trial as stopped early in its status.
        sockets: the directory for the socket.
    """

    async def marked(_: str, trial: str) -> None:
        # All trials of a run are in the same namespace.
        await mark(trial)

    server = grpc.aio.server()
    api_pb2_grpc.add_EarlyStoppingServicer_to_server(EarlyStopping(_NoLogs(), marked), server)
    path = sockets / "early-stopping"
    listen_on_socket(server, path)
    await server.start()
    try:
        yield address_of(path)
    finally:
        await server.stop(_GRACE)
