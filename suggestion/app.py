"""The life of one suggestion service: listen, serve, drain."""

from __future__ import annotations

import asyncio
import importlib
from functools import partial

from serving.life import until_signal, write_port
from serving.logs import get_logger
from suggestion.server import Server
from suggestion.service.observation_reader import ObservationReader
from suggestion.settings import Settings

_log = get_logger(__name__)


async def run(settings: Settings) -> bool:
    """Serve until SIGTERM or SIGINT; return whether all requests have ended.

    Raises:
        SetupError: the program cannot listen on the address, or cannot write the port file.
    """
    logs = ObservationReader()
    server = Server(logs, partial(_mark, settings))
    with until_signal() as ended:
        address = server.listen(settings.listen)
        await server.start()
        try:
            if settings.port_file is not None:
                write_port(settings.port_file, address.port)
            _log.info("listening", address=str(address))
            await ended.wait()
            _log.info("ending: refusing new requests, finishing requests under way")
        finally:
            drained = await server.stop(settings.grace.total_seconds())
            await logs.close()
    if drained:
        _log.info("ended")
    else:
        _log.warning("ended while a search was running: it took longer than --grace")
    return drained


async def _mark(settings: Settings, namespace: str, trial: str) -> None:
    # The import takes a second and tens of MiB, and most services never need it.
    name = "suggestion.service.early_stop_status"
    module = await asyncio.to_thread(importlib.import_module, name)
    await module.EarlyStopStatus(settings.kubeconfig, settings.namespace).mark(namespace, trial)
