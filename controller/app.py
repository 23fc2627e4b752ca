"""One controller's life: listen, get the settings, lead, work, drain, release, close."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc.aio
from aiohttp import web

from api import names
from api.installation.service_addresses import OwnServices
from controller.config import Config, parse_config
from controller.leader_term import LeaderTerm, TermDependencies
from controller.metrics import Metrics
from controller.on_kube.events import EVENT_SOURCE, ClusterEvents
from controller.on_kube.search_services import ClusterSearchServices
from controller.over_grpc.calls import CHANNEL_OPTIONS
from controller.over_grpc.channels import Channels
from controller.over_grpc.observations import RemoteObservations
from controller.search_router import SearchRouter, ServiceDirectory
from controller.settings import Settings
from kube.cluster import Cluster, Ref
from kube.connect import connected
from kube.events import EventRecorder
from kube.fencing import FencedCluster
from kube.leader_election import LEASE_API, ElectionRuntime, LeaderElection
from kube.settings_source import ConfigMapSource, ConfigSource, FileSource
from serving.http import Server, add_probes
from serving.life import beside, until_signal, write_port
from serving.logs import get_logger

_Start = Callable[[Coroutine[Any, Any, object]], asyncio.Task[Any]]
_log = get_logger(__name__)
_EVENT_SECONDS = 2.0
"""What is left to be told at the end gets so long."""
_STORE_SECONDS = 10.0
"""How long one answer of the DB manager may take."""
_LOOK_SECONDS = 5.0
"""How soon a change of the settings is noticed."""


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT.

    Raises:
        SetupError: an address, a file or the credentials are wrong, and waiting will not help.
    """
    with until_signal() as ended:
        async with AsyncExitStack() as stack:
            cluster = await stack.enter_async_context(connected(settings.kubeconfig))
            # Its own connections: behind hundreds of requests a renewal would come too late.
            lease = await stack.enter_async_context(connected(settings.kubeconfig))
            controller = _Controller(settings, cluster, lease, ended)
            await stack.enter_async_context(controller.serving())
            await stack.enter_async_context(controller.background())
            await controller.work()
    _log.info("ended")


@asynccontextmanager
async def search_services(
    settings: Settings, cluster: Cluster, config: ConfigSource[Config], db_manager: str
) -> AsyncIterator[SearchRouter]:
    """Give the search: where it is decided which service an experiment asks.

    `config` has the settings in force at each moment; `db_manager` is what a service of early
    stopping is told of it.
    """
    # Ours has search and early stopping on one port.
    ours = OwnServices(suggestion=settings.suggestion, early_stopping=settings.suggestion)
    directory = ServiceDirectory(
        config=lambda: config.config.services, ours=ours, db_manager=db_manager
    )
    channels = Channels(asyncio.get_running_loop().time)
    try:
        yield SearchRouter(directory, ClusterSearchServices(cluster), channels)
    finally:
        await channels.close()


class _Controller:
    """What a controller is made of."""

    def __init__(
        self, settings: Settings, cluster: Cluster, lease: Cluster, ended: asyncio.Event
    ) -> None:
        """`lease` is the same cluster, asked for the Lease only."""
        self._settings, self._cluster, self._ended = settings, cluster, ended
        self._metrics = Metrics()
        self._config = _config(settings, cluster)
        clock = asyncio.get_running_loop().time
        self._events = EventRecorder(cluster, EVENT_SOURCE, counted=self._metrics.told, clock=clock)
        self._leadership = _leadership(settings, lease) if settings.leader_elect else None
        self._term: LeaderTerm | None = None

    # -- what is asked about it -------------------------------------------------------------

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve what is asked about this program."""
        application = web.Application()
        add_probes(application, lambda: list(self._missing()), self._metrics.text)
        server = Server(application)
        try:
            address = await server.listen(self._settings.listen, "--listen")
            _log.info("listening", address=str(address))
            if self._settings.port_file is not None:
                write_port(self._settings.port_file, address.port)
            yield
        finally:
            await server.close()

    def _missing(self) -> Iterator[str]:
        """Yield what keeps it from working, or from waiting to."""
        if self._ended.is_set():
            yield "ending"
        if self._config.trouble:
            yield self._config.trouble
        if self._term is not None:
            yield from self._term.missing()
        elif self._leadership is not None and self._leadership.trouble:
            yield self._leadership.trouble

    @asynccontextmanager
    async def background(self) -> AsyncIterator[None]:
        """Follow the settings and post Events; a fault in it ends all."""
        async with beside([self._config.run, self._events.run], self._ended):
            yield
            await self._events.drain(_EVENT_SECONDS)

    # -- what it does -----------------------------------------------------------------------

    async def work(self) -> None:
        """Lead whenever that is ours to do, until told to end."""
        if not await self._unless_ended(self._configured()):
            return
        while not self._ended.is_set():
            if self._leadership is None:
                await self._lead(asyncio.Event().wait())
            elif await self._unless_ended(self._leadership.acquire()):
                await self._lead(self._leadership.renew())
                await self._leadership.release()

    async def _configured(self) -> None:
        while self._config.trouble:  # noqa: ASYNC110 - nobody tells when it ends
            await asyncio.sleep(0.1)

    async def _unless_ended(self, work: Coroutine[Any, Any, object]) -> bool:
        """Do it, or leave it when the end is asked for; return whether it is done."""
        async with _tasks() as start:
            working, ending = start(work), start(self._ended.wait())
            await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
            return working.done()

    async def _lead(self, leading: Coroutine[Any, Any, object]) -> None:
        """Work until told to end, or until `leading` ends; then nothing is under way any more.

        Where the Lease is lost, all work is cancelled at once, and this replica waits again. To
        end the process instead would do no more, and in a long absence of the API server it would
        be restarted later and later.
        """
        self._metrics.leads(leading=True)
        try:
            async with _tasks() as start:
                lost, ending = start(leading), start(self._ended.wait())
                while not lost.done() and not ending.done():
                    await self._serve_a_term(lost, ending)
        finally:
            self._term = None
            self._metrics.leads(leading=False)
            self._metrics.forget()

    async def _serve_a_term(self, lost: asyncio.Task[Any], ending: asyncio.Task[Any]) -> None:
        """Work with the settings as they are now, until they change."""
        config = self._config.config
        async with AsyncExitStack() as stack:
            outside = await self._outside(stack, config)
            start = await stack.enter_async_context(_tasks())
            self._term = term = LeaderTerm(outside, start)
            self._show(term)
            working, changed = start(term.run()), start(self._changed(config))
            until = {working, changed, lost, ending}
            await asyncio.wait(until, return_when=asyncio.FIRST_COMPLETED)
            if lost.done() or any(term.missing()):  # nothing is under way before all was listed
                return
            _log.info("draining: starting nothing new, finishing work under way")
            term.end()
            grace = self._settings.grace.total_seconds()
            await asyncio.wait({working, lost}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)

    async def _outside(self, stack: AsyncExitStack, config: Config) -> TermDependencies:
        settings, leadership = self._settings, self._leadership
        address = settings.db_manager or config.db_manager or settings.usual_db_manager
        channel = grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        await stack.enter_async_context(channel)
        cluster = self._cluster
        if leadership is not None:
            cluster = FencedCluster(cluster, lambda: leadership.holds)
        search = await stack.enter_async_context(
            search_services(settings, cluster, self._config, address)
        )
        return TermDependencies(
            cluster=cluster,
            observations=RemoteObservations(channel, _STORE_SECONDS),
            suggestions=search,
            services=search,
            events=ClusterEvents(self._events, self._metrics.error),
            metrics=self._metrics,
            policy=settings.policy,
            namespace=settings.namespace,
            kinds=config.trial_resources,
            trial_kinds=lambda: self._config.config.trial_kinds,
        )

    async def _changed(self, config: Config) -> None:
        """Return when the settings say something else for a whole term."""
        while _of_a_term(self._config.config) == _of_a_term(config):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(_LOOK_SECONDS)
        _log.info("the settings have changed: starting again with the new settings")

    def _show(self, term: LeaderTerm) -> None:
        """Let the metrics count what there is."""
        self._metrics.watch_states("experiments", term.experiments)
        self._metrics.watch_states("trials", term.trials)


@asynccontextmanager
async def _tasks() -> AsyncIterator[_Start]:
    """Run what is started beside the body, and cancel it afterwards; a fault in it ends both."""
    started: list[asyncio.Task[Any]] = []
    async with asyncio.TaskGroup() as group:

        def start(work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
            started.append(group.create_task(work))
            return started[-1]

        try:
            yield start
        finally:
            for task in started:
                task.cancel()


def _of_a_term(config: Config) -> object:
    """Return what of the settings cannot change while a term lasts."""
    return config.trial_resources, config.db_manager


def _config(settings: Settings, cluster: Cluster) -> ConfigSource[Config]:
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
        ElectionRuntime(clock=_seconds),
        settings.lease_times,
    )


def _seconds() -> float:
    """Count seconds, those too in which this machine was asleep: a Lease runs out in these."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
