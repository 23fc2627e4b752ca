"""One controller, from its start to its end: connect, serve probes, lead, drain, close."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from aiohttp import web

from api import names
from controller.config import Config, parse_config
from controller.metrics import Metrics
from controller.on_kube.events import EVENT_SOURCE
from controller.replica import Replica, ReplicaParts
from controller.settings import Settings
from kube.cluster import Cluster, Ref
from kube.connect import connected
from kube.events import EventRecorder
from kube.fencing import FencedCluster
from kube.leader_election import LEASE_API, ElectionRuntime, LeaderElection
from kube.settings_source import ConfigMapSource, ConfigSource, FileSource
from serving.authority_change import until_authorities_change
from serving.http import Server, add_probes
from serving.life import beside, until_signal, write_port
from serving.logs import get_logger

_DRAIN_EVENTS_SECONDS: Final = 2.0
"""How long the last Events may take at the end of the program."""
_log = get_logger(__name__)


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT.

    Raises:
        SetupError: an address, a file or the credentials are wrong, and waiting will not help.
    """
    with until_signal() as ended:
        # The Lease has connections of its own: behind hundreds of requests a renewal is too late.
        async with (
            connected(settings.kubeconfig) as cluster,
            connected(settings.kubeconfig) as lease_cluster,
        ):
            await _run_on(settings, cluster, lease_cluster, ended)
    _log.info("ended")


async def _run_on(
    settings: Settings, cluster: Cluster, lease_cluster: Cluster, ended: asyncio.Event
) -> None:
    metrics, config = Metrics(), _config_source(settings, cluster)
    clock = asyncio.get_running_loop().time
    events = EventRecorder(cluster, EVENT_SOURCE, counted=metrics.count_event, clock=clock)
    leadership = _leadership(settings, lease_cluster) if settings.leader_elect else None
    parts = ReplicaParts(
        settings=settings,
        cluster=cluster if leadership is None else FencedCluster(cluster, lambda: leadership.holds),
        config=config,
        events=events,
        metrics=metrics,
        leadership=leadership,
    )
    replica = Replica(parts, ended)
    authorities_change = partial(until_authorities_change, settings.db_manager_security)
    async with (
        _probes(settings, replica.unready_reasons, metrics),
        beside([config.run, events.run, authorities_change], ended),
    ):
        await replica.run()
        await events.drain(_DRAIN_EVENTS_SECONDS)


@asynccontextmanager
async def _probes(
    settings: Settings, unready_reasons: Callable[[], Iterable[str]], metrics: Metrics
) -> AsyncIterator[None]:
    """Serve health, readiness and metrics over HTTP."""
    application = web.Application()
    add_probes(application, lambda: list(unready_reasons()), metrics.text)
    server = Server(application)
    try:
        address = await server.listen(settings.listen, "--listen")
        _log.info("listening", address=str(address))
        if settings.port_file is not None:
            write_port(settings.port_file, address.port)
        yield
    finally:
        await server.close()


def _config_source(settings: Settings, cluster: Cluster) -> ConfigSource[Config]:
    if settings.katib_config is not None:
        return FileSource(settings.katib_config, parse_config)
    return ConfigMapSource(cluster, settings.core_namespace, parse_config)


def _leadership(settings: Settings, cluster: Cluster) -> LeaderElection:
    lease = Ref(
        api_version=LEASE_API,
        kind="Lease",
        namespace=settings.core_namespace,
        name=names.OWN_CONTROLLER,
    )
    return LeaderElection(
        cluster,
        lease,
        f"{socket.gethostname()}_{uuid.uuid4()}",
        ElectionRuntime(clock=_boot_seconds),
        settings.lease_times,
    )


def _boot_seconds() -> float:
    """Count seconds including those while the machine was suspended: a Lease expires in them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
