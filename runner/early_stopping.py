"""The early-stopping service within the runner: collectors tell it of the trials they stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import grpc.aio

from api.v1beta1 import api_pb2_grpc
from serving.addresses import Address
from suggestion.service.early_stopping_service import EarlyStopping

_GRACE = 2.0


class _NoLogs:
    """Rules are made by `runner.search`; over the wire nobody asks for them here."""

    async def values(
        self, manager: Address, namespace: str, trial: str, metric: str
    ) -> Sequence[str]:
        del manager, namespace, trial, metric
        return ()


@asynccontextmanager
async def early_stopping(mark: Callable[[str], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve on a free port of this machine; give the address.

    Args:
        mark: writes into a trial's status that it was stopped.
    """

    async def marked(_: str, trial: str) -> None:
        # All trials of a run are in one namespace, whatever it is called.
        await mark(trial)

    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    api_pb2_grpc.add_EarlyStoppingServicer_to_server(EarlyStopping(_NoLogs(), marked), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(_GRACE)
