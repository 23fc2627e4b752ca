"""The webhook's process: listen, fill the caches, answer, linger, drain, close."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from api import names
from kube.cluster import Cluster
from kube.connect import connected
from kube.events import EventRecorder, EventSource
from kube.settings_source import ConfigMapSource, ConfigSource, FileSource
from kube.watch_cache import WatchCache
from serving.addresses import Address
from serving.http import Server
from serving.life import beside, until_signal, write_port
from serving.logs import get_logger
from webhook.authority.injected_config import AuthoritySource, InjectedConfig
from webhook.authority.keeper import AuthorityTarget, ServiceAuthority
from webhook.authority.mounted import MountedAuthorities
from webhook.certificates.files import MountedCertificate
from webhook.certificates.self_signed import SelfSignedCertificate, target_of
from webhook.driver.cluster_lookups import CachedObject, ClusterLookups, lookup_caches
from webhook.driver.cluster_rights import ClusterRights, ClusterWithRights
from webhook.driver.decision_driver import DecisionDriver
from webhook.driver.finalizer_release import FinalizerRelease
from webhook.driver.ports import ServingCertificate
from webhook.model.config import Config, parse_config
from webhook.registry.lookups import RegistryLookups, open_session
from webhook.server import trial_handler, uninstall_handler
from webhook.server.experiment_handler import MUTATE, VALIDATE, ExperimentHandler
from webhook.server.http import ServerParts, application
from webhook.server.metrics import Metrics
from webhook.server.pod_handler import PATH, PodHandler
from webhook.server.trial_handler import TrialHandler
from webhook.server.uninstall_handler import UninstallHandler
from webhook.settings import Settings

_log = get_logger(__name__)
_EVENT_SECONDS = 2.0
"""How long the remaining Events may take at the end."""
_FREEZE_SECONDS = 600.0
EVENT_SOURCE = EventSource(component=names.OWN_WEBHOOK)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SetupError: an address, a file or the credentials are wrong, and waiting will not help.
    """
    with until_signal() as ended:
        async with AsyncExitStack() as stack:
            cluster = await stack.enter_async_context(connected(settings.kubeconfig))
            session = await stack.enter_async_context(open_session())
            images = await stack.enter_async_context(RegistryLookups(session, cluster))
            webhook = _Webhook(settings, cluster, images)
            await stack.enter_async_context(webhook.certificates)
            await stack.enter_async_context(webhook.working(ended))
            await stack.enter_async_context(webhook.serving())
            await ended.wait()
            webhook.ending = True
            _log.info("ending: not ready, serving until the cluster stops sending requests")
            await asyncio.sleep(settings.linger.total_seconds())
    _log.info("ended")


class _Webhook:
    """The parts of a webhook, wired together."""

    def __init__(
        self, settings: Settings, cluster: ClusterWithRights, images: RegistryLookups
    ) -> None:
        self.ending = False
        self.metrics = Metrics()
        self.certificates = _certificates(settings, cluster)
        self._settings = settings
        self._authorities = _authorities(settings, cluster)
        self._config = _config(settings, cluster, self._authorities)
        self._caches = lookup_caches(cluster)
        clock = asyncio.get_running_loop().time
        self._events = EventRecorder(
            cluster, EVENT_SOURCE, counted=self.metrics.count_event, clock=clock
        )
        lookups = ClusterLookups(cluster, self._caches, counted=self.metrics.count_lookup)
        self.metrics.show_caches(self._caches)
        self.metrics.show_certificate(lambda: self.certificates.expires)
        pods = PodHandler(DecisionDriver(lookups, images), self._config, self._events, self.metrics)
        authors = ClusterRights(cluster)
        experiments = {
            path: ExperimentHandler(path, lookups, authors, self._config, self.metrics)
            for path in (MUTATE, VALIDATE)
        }
        trials = TrialHandler(authors, self._config, self.metrics, settings.core_namespace)
        self._uninstall = UninstallHandler(FinalizerRelease(cluster), self.metrics)
        self._parts = ServerParts(
            handlers={
                PATH: pods,
                **experiments,
                trial_handler.PATH: trials,
                uninstall_handler.PATH: self._uninstall,
            },
            metrics=self.metrics,
            missing=lambda: list(self._missing()),
        )

    def _missing(self) -> Iterable[str]:
        """Yield what the webhook still lacks; while there is something, it is not ready."""
        if self.ending:
            yield "ending"
        if not self.certificates.ready:
            yield "the certificate is not there yet, or not trusted yet"
        if self._config.trouble:
            yield self._config.trouble
        for cache in self._caches:
            if not cache.is_synced:
                yield _not_synced(cache)

    @asynccontextmanager
    async def working(self, ended: asyncio.Event) -> AsyncIterator[None]:
        """Run the background tasks; an error in one of them ends the program."""
        background = [
            self._config.run,
            self._events.run,
            self._uninstall.run,
            self._freeze_caches,
        ]
        if self._authorities is not None:
            background.append(self._authorities.run)
        endless = [*background, *(cache.run for cache in self._caches)]
        async with beside(endless, ended):
            yield
            await self._events.drain(_EVENT_SECONDS)

    async def _freeze_caches(self) -> None:
        """Exclude the cached objects from Python's garbage collection, again and again.

        With 10,000 trials a full collection would stop the reviews for 70 ms.
        """
        for cache in self._caches:
            await cache.synced()
        while True:
            gc.collect()
            gc.freeze()
            await asyncio.sleep(_FREEZE_SECONDS)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve on one port or two; at the end let the requests under way finish."""
        settings, grace = self._settings, self._settings.grace.total_seconds()
        tls = self.certificates.ssl_context
        main = Server(application(self._parts), tls=tls, grace=grace)
        plain = Server(application(self._parts, reviews=False))
        try:
            address = await main.listen(settings.listen, "--listen")
            plain_address: Address | None = None
            if settings.plain_listen is not None:
                plain_address = await plain.listen(settings.plain_listen, "--plain-listen")
            _log.info(
                "listening",
                address=str(address),
                plain=str(plain_address) if plain_address else None,
            )
            if settings.port_file is not None:  # last: its reader may read the log, too
                write_port(settings.port_file, address.port)
            yield
            _log.info("draining: refusing new requests, finishing requests under way")
        finally:
            await main.close()
            await plain.close()


def _certificates(settings: Settings, cluster: Cluster) -> ServingCertificate:
    if settings.cert_dir is not None:
        return MountedCertificate(settings.cert_dir)
    assert settings.service is not None  # noqa: S101 - the settings see to it
    return SelfSignedCertificate(cluster, target_of(settings.service))


def _authorities(settings: Settings, cluster: Cluster) -> AuthoritySource | None:
    if settings.db_manager_ca is not None:
        return MountedAuthorities(settings.db_manager_ca, settings.suggestion_ca)
    if not settings.issue_for:
        return None
    target = AuthorityTarget(namespace=settings.core_namespace, services=settings.issue_for)
    return ServiceAuthority(cluster, target)


def _config(
    settings: Settings, cluster: Cluster, authorities: AuthoritySource | None
) -> ConfigSource[Config]:
    parse = partial(parse_config, environment=settings.environment)
    source: ConfigSource[Config]
    if settings.katib_config is not None:
        source = FileSource(settings.katib_config, parse)
    else:
        source = ConfigMapSource(cluster, settings.core_namespace, parse)
    return InjectedConfig(source, authorities) if authorities is not None else source


def _not_synced(cache: WatchCache[CachedObject]) -> str:
    cause = f": {cache.trouble}" if cache.trouble else ""
    return f"{cache.scope.kind} has not been listed yet{cause}"
