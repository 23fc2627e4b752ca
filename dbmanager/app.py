"""The life of one DB manager: listen, connect to the database, serve, drain, close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

from api.errors import Unavailable
from dbmanager.guards import guard_of
from dbmanager.server import LIMITS, Server
from dbmanager.service.connection import Connection
from dbmanager.service.metrics import Metrics
from dbmanager.settings import Settings
from dbmanager.store.contract import Store
from serving.certificate_expiry import expiry_of
from serving.error_interceptor import Guards
from serving.grpc_tls import server_credentials
from serving.life import until_signal, write_port
from serving.logs import get_logger
from serving.metrics import metrics_served

_log = get_logger(__name__)


async def run(settings: Settings, store: Store) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SetupError: an address, a file or the database is wrong, and waiting does not help.
        Unavailable: the database did not answer within the connect timeout.
    """
    metrics = Metrics()
    connection = Connection(store, changed=metrics.database)
    with until_signal() as ended:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(store.close)
            await stack.enter_async_context(_serving(settings, connection, metrics))
            await _watch(connection, ended, settings.connect_timeout)
            _log.info("ending: refusing new requests, finishing requests under way")
    _log.info("ended")


@asynccontextmanager
async def _serving(
    settings: Settings, connection: Connection, metrics: Metrics
) -> AsyncIterator[None]:
    tls = server_credentials(settings.tls) if settings.tls else None
    if settings.tls:
        metrics.certificate(partial(expiry_of, settings.tls.cert))
    access = guard_of(settings.access, settings.auth_users, connection, metrics)
    guards = Guards(access=access, limits=LIMITS)
    server = Server(connection, metrics, max_reply=settings.max_reply, guards=guards)
    address = server.listen(settings.listen, tls)
    plain = server.listen(settings.plain_listen) if settings.plain_listen else None
    with metrics_served(metrics.registry, settings.metrics_listen) as metrics_address:
        await server.start()
        try:
            if settings.port_file is not None:
                write_port(settings.port_file, address.port)
            _log.info(
                "listening",
                address=str(address),
                plain=str(plain) if plain else None,
                metrics=str(metrics_address) if metrics_address else None,
                tls=tls is not None,
                auth=settings.access.mode.value,
            )
            yield
        finally:
            await server.stop(settings.grace.total_seconds())


async def _watch(
    connection: Connection, ended: asyncio.Event, connect_timeout: timedelta | None
) -> None:
    """Watch the connection until a signal sets `ended`."""
    watching = asyncio.create_task(connection.watch())
    signal = asyncio.create_task(ended.wait())
    timeout = asyncio.create_task(_check_timeout(connection, connect_timeout))
    tasks = {watching, signal, timeout}
    try:
        while not signal.done():
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            tasks -= done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _check_timeout(connection: Connection, limit: timedelta | None) -> None:
    """Raise `Unavailable` if the database has not answered after the limit."""
    if limit is None:
        return
    await asyncio.sleep(limit.total_seconds())
    try:
        connection.store  # noqa: B018 - it raises if the database is not open
    except Unavailable as error:
        raise Unavailable(f"--connect-timeout: {error}") from None
