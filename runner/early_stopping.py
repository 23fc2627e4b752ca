"""The early-stopping service in the runner, to which collectors report trials they stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import grpc.aio

from api.v1beta1 import api_pb2_grpc
from serving.addresses import Address
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
async def early_stopping(mark: Callable[[str], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve on a free port of this machine; yield the address.

    Args:
        mark: marks a trial as stopped early in its status.
    """

    async def marked(_: str, trial: str) -> None:
        # All trials of a run are in the same namespace.
        await mark(trial)

    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    api_pb2_grpc.add_EarlyStoppingServicer_to_server(EarlyStopping(_NoLogs(), marked), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(_GRACE)
