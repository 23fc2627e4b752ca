"""Builds what a leadership term works with: the services it calls, and the ports over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from api.installation.service_addresses import OwnServices
from controller.config import Config
from controller.leader_term import TermDependencies
from controller.metrics import Metrics
from controller.on_kube.events import ClusterEvents
from controller.on_kube.leftover_record import ClusterLeftoverRecord
from controller.on_kube.search_services import ClusterSearchServices
from controller.over_grpc.channels import Channels, dial, dial_own
from controller.over_grpc.observations import RemoteObservations
from controller.over_grpc.trial_points import RemoteTrialPoints
from controller.search_router import SearchRouter, ServiceDirectory
from controller.settings import Settings
from kube.cluster import Cluster
from kube.events import EventRecorder
from kube.settings_source import ConfigSource
from serving.grpc_client import credentials_of

_STORE_SECONDS: Final = 10.0
"""How long one call of the DB manager may take."""


@asynccontextmanager
async def term_dependencies(  # noqa: PLR0913, PLR0917 - the parts of a replica
    settings: Settings,
    config: Config,
    source: ConfigSource[Config],
    cluster: Cluster,
    events: EventRecorder,
    metrics: Metrics,
) -> AsyncIterator[TermDependencies]:
    """Open channels to the services, and give what a term works with.

    `config` has the settings of the whole term; `source` has the current ones, for those that may
    change during a term.
    """
    address = settings.db_manager or config.db_manager or settings.usual_db_manager
    async with (
        dial(address, credentials_of(settings.db_manager_security)) as channel,
        _search_router(settings, cluster, source, address) as search,
    ):
        yield TermDependencies(
            cluster=cluster,
            observations=RemoteObservations(channel, _STORE_SECONDS),
            suggestions=search,
            services=search,
            events=ClusterEvents(events, metrics.count_error),
            metrics=metrics,
            policy=settings.policy,
            namespace=settings.namespace,
            kinds=config.trial_resources,
            points=RemoteTrialPoints(channel, _STORE_SECONDS),
            judges=search.judges,
            leftovers=ClusterLeftoverRecord(cluster, settings.core_namespace),
            trial_kinds=lambda: source.config.trial_kinds,
        )


@asynccontextmanager
async def _search_router(
    settings: Settings, cluster: Cluster, source: ConfigSource[Config], db_manager: str
) -> AsyncIterator[SearchRouter]:
    """Give the search; `db_manager` is the address that services of early stopping receive."""
    # Our service has search and early stopping on one port.
    ours = OwnServices(suggestion=settings.suggestion, early_stopping=settings.suggestion)
    directory = ServiceDirectory(
        config=lambda: source.config.services, ours=ours, db_manager=db_manager
    )
    dial_service = dial_own(settings.suggestion, credentials_of(settings.suggestion_security))
    channels = Channels(asyncio.get_running_loop().time, dial_service)
    try:
        yield SearchRouter(directory, ClusterSearchServices(cluster), channels)
    finally:
        await channels.close()
