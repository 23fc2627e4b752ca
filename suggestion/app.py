"""The life of one suggestion service: listen, serve, drain."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from serving.authority_change import until_authorities_change
from serving.certificate_expiry import expiry_of
from serving.grpc_client import credentials_of
from serving.grpc_tls import server_credentials
from serving.life import beside, until_signal, write_port
from serving.logs import get_logger
from serving.metrics import metrics_served
from suggestion.guards import guard_of
from suggestion.server import Server
from suggestion.service.metrics import Metrics
from suggestion.service.observation_reader import ObservationReader
from suggestion.settings import Settings
from suggestion.workers.memory_limit import available_memory, memory_of_worker
from suggestion.workers.pool import SearchPool
from suggestion.workers.worker_process import WorkerProcess

_log = get_logger(__name__)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SetupError: the program cannot listen on an address, or cannot use a file.
    """
    logs = ObservationReader(
        only=settings.db_manager, credentials=credentials_of(settings.db_manager_security)
    )
    tls = server_credentials(settings.tls) if settings.tls else None
    metrics = Metrics()
    if settings.tls:
        metrics.certificate(partial(expiry_of, settings.tls.cert))
    with until_signal() as ended, metrics_served(metrics.registry, settings.metrics_listen) as at:
        change = partial(until_authorities_change, settings.db_manager_security)
        async with (
            beside([change], ended),
            _searches(settings, metrics) as searches,
            guard_of(settings, metrics) as guard,
        ):
            server = Server(searches, logs, partial(_mark, settings), guard)
            address = server.listen(settings.listen, tls)
            plain = server.listen(settings.plain_listen) if settings.plain_listen else None
            await server.start()
            abandoned = 0
            try:
                if settings.port_file is not None:
                    write_port(settings.port_file, address.port)
                _log.info(
                    "listening",
                    address=str(address),
                    plain=str(plain) if plain else None,
                    metrics=str(at) if at else None,
                    tls=tls is not None,
                    auth=settings.access.mode.value,
                )
                await ended.wait()
                _log.info("ending: refusing new requests, finishing requests under way")
                abandoned = searches.abandoned
            finally:
                await server.stop(settings.grace.total_seconds())
                await logs.close()
    if searches.abandoned == abandoned:
        _log.info("ended")
    else:
        _log.warning("ended while a search was running: it took longer than --grace")


@asynccontextmanager
async def _searches(settings: Settings, metrics: Metrics) -> AsyncIterator[SearchPool]:
    count, seconds = settings.search_workers, settings.search_timeout.total_seconds()
    memory = memory_of_worker(count, available_memory())
    checkpoints = settings.checkpoints
    if checkpoints is not None and not checkpoints.is_dir():
        checkpoints = None  # this service has no volume
    workers = [WorkerProcess(memory, seconds, checkpoints) for _ in range(count)]
    pool = SearchPool(workers, metrics, seconds=seconds)
    try:
        yield pool
    finally:
        await pool.close()


async def _mark(settings: Settings, namespace: str, trial: str) -> None:
    # The import takes a second and tens of MiB, and most services never need it.
    name = "suggestion.service.early_stop_status"
    module = await asyncio.to_thread(importlib.import_module, name)
    await module.EarlyStopStatus(settings.kubeconfig, settings.namespace).mark(namespace, trial)
