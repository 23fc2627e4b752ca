"""Looks up the commands of images at their registries, within a time limit, and caches them.

    async with open_session() as session, RegistryLookups(session, cluster) as images:
        answer = await images.command_of(lookup, deadline)

Concurrent look-ups of one image share one request. The cache:

| cached | for how long | shared by |
|---|---|---|
| the command of a digest | until newer entries need the room | all logins: a digest never changes |
| the digest of a tag | a minute; a HEAD request, which is no pull, renews it | the same login |
| the expired digest of a tag | used while the registry does not answer | the same login |
"""

from __future__ import annotations

import asyncio
import math
import platform
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

import aiohttp
from cachetools import LRUCache

from api.errors import RemoteError, TrialwatchError, Unavailable
from kube.cluster import Cluster, Ref
from serving.logs import get_logger
from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageAnswer, ImageLookup, ImageUnknown
from webhook.registry import manifests
from webhook.registry.client import AccessDenied, RegistryClient
from webhook.registry.link_local import RefusingResolver
from webhook.registry.manifests import Index
from webhook.registry.pull_secrets import (
    Login,
    PullSecretEntry,
    fingerprint_of,
    logins_for,
    read_entries,
)
from webhook.registry.references import ImageReference, parse_reference

ASK_SECONDS: Final = 3.0
"""The longest look-up; the API server waits ten seconds for the whole admission review."""
_TAG_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.1
_MOST_CACHED: Final = 4096
_MOST_CONNECTIONS: Final = 32
_MOST_INDEXES: Final = 3
# Names of machines: the kernel's -> those of image indexes.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_TOO_LATE: Final = "the registry did not answer in time"
_log = get_logger(__name__)

_Key = tuple[ImageReference, str, str]
"""The image, the architecture, and a fingerprint of the logins."""


def open_session(connector: aiohttp.BaseConnector | None = None) -> aiohttp.ClientSession:
    """Return an HTTP session for registries: no cookies, few connections, no decompression."""
    if connector is None:
        connector = aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, resolver=RefusingResolver())
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=ASK_SECONDS),
    )


class RegistryLookups:
    """Looks up the commands of images at their registries."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        cluster: Cluster,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`clock` gives monotonic seconds; by default the event loop's."""
        self._session = session
        self._cluster = cluster
        self._clock = clock or asyncio.get_running_loop().time
        self._digests: LRUCache[_Key, tuple[str, float]] = LRUCache(_MOST_CACHED)
        self._commands: LRUCache[tuple[str, str], ImageCommand] = LRUCache(_MOST_CACHED)
        self._pending: dict[_Key, asyncio.Task[ImageCommand | TrialwatchError]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cancel the pending requests."""
        pending = list(self._pending.values())
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    async def command_of(self, lookup: ImageLookup, deadline: float) -> ImageAnswer:
        """Return the command of an image, or why it is unknown. Never raises.

        The deadline is by the event loop's clock; a look-up ends after three seconds at the latest.
        """
        until = min(deadline, asyncio.get_running_loop().time() + ASK_SECONDS)
        unread: list[str] = []
        try:
            reference = parse_reference(lookup.image)
            logins = await self._logins(lookup, reference, until, unread)
        except TrialwatchError as error:
            return _unknown(lookup, error, (str(error), *unread))
        try:
            return await self._shared(reference, lookup.architecture, logins, until)
        except Unavailable as error:
            # The author of the pod chooses the host: the cause would tell which of its ports are
            # open, and who has a certificate.
            return _unknown(lookup, error, (_TOO_LATE, *unread))
        except TrialwatchError as error:
            return _unknown(lookup, error, (str(error), *unread))

    async def _logins(
        self, lookup: ImageLookup, reference: ImageReference, until: float, unread: list[str]
    ) -> tuple[Login, ...]:
        """Return the pod's logins for the image; add to `unread` why a pull secret has none."""
        names = dict.fromkeys(lookup.pull_secrets)
        try:
            async with asyncio.timeout_at(until):
                read = await asyncio.gather(*(self._entries(lookup.namespace, n) for n in names))
        except TimeoutError:
            raise Unavailable("reading the pod's imagePullSecrets took too long") from None
        unread += [f"imagePullSecret {error}" for error in read if isinstance(error, str)]
        entries = [entry for several in read if not isinstance(several, str) for entry in several]
        return logins_for(reference.name, entries)

    async def _entries(self, namespace: str, name: str) -> tuple[PullSecretEntry, ...] | str:
        """Return the entries of a pull secret, or why they cannot be read."""
        secret = Ref(api_version="v1", kind="Secret", namespace=namespace, name=name)
        try:
            return read_entries(await self._cluster.get(secret))
        except TrialwatchError as error:
            return f"{name}: {error}"

    async def _shared(
        self, reference: ImageReference, architecture: str, logins: tuple[Login, ...], until: float
    ) -> ImageCommand:
        """Return the cached command, or wait for the one request that all waiters share."""
        key = (reference, architecture, fingerprint_of(logins))
        cached = self._cached(self._digest(key), architecture)
        if cached is not None:
            return cached
        task = self._pending.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, logins), name=f"look up {reference}")
            self._pending[key] = task
            task.add_done_callback(lambda _: self._pending.pop(key))
        try:
            async with asyncio.timeout_at(until):
                # A waiter that gives up must not cancel the request: others may wait for it too.
                answer = await asyncio.shield(task)
        except TimeoutError:
            answer = Unavailable(_TOO_LATE)
        return self._or_last_known(answer, key)

    def _or_last_known(self, answer: ImageCommand | TrialwatchError, key: _Key) -> ImageCommand:
        """Return the answer; the last known command if the registry is unavailable; else raise."""
        if isinstance(answer, ImageCommand):
            return answer
        reference, architecture, _ = key
        old = self._cached(self._digest(key, expired=True), architecture)
        if old is None or not isinstance(answer, Unavailable):
            raise answer
        _log.warning(
            "registry unavailable; using the image command of an earlier answer",
            image=str(reference),
            cause=str(answer),
        )
        return old

    def _digest(self, key: _Key, *, expired: bool = False) -> str | None:
        """Return the cached digest of a reference; with `expired` even after its minute."""
        digest, until = self._digests.get(key, (None, 0.0))
        return digest if expired or self._clock() < until else None

    def _cached(self, digest: str | None, architecture: str) -> ImageCommand | None:
        return self._commands.get((digest, architecture)) if digest else None

    async def _ask(self, key: _Key, logins: tuple[Login, ...]) -> ImageCommand | TrialwatchError:
        """Ask the registry within the time limit; return errors as values, for all who wait."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self._try_logins(key, logins)
        except TimeoutError:
            return Unavailable(_TOO_LATE)
        except TrialwatchError as error:
            return error

    async def _try_logins(self, key: _Key, logins: tuple[Login, ...]) -> ImageCommand:
        """Try one login after the other, as the kubelet does; without logins ask anonymously."""
        denied = AccessDenied("")
        for login in logins or (None,):
            client = RegistryClient(self._session, key[0], login)
            try:
                return await self._with_one_retry(key, client)
            except AccessDenied as error:
                denied = error
        raise denied

    async def _with_one_retry(self, key: _Key, client: RegistryClient) -> ImageCommand:
        """Ask again once, after a short pause, if the registry is unavailable."""
        try:
            return await self._fetch(key, client)
        except Unavailable:
            await asyncio.sleep(_PAUSE_SECONDS)
            return await self._fetch(key, client)

    async def _fetch(self, key: _Key, client: RegistryClient) -> ImageCommand:
        """Fetch what the cache lacks, and cache it."""
        reference, architecture, _ = key
        digest = self._digest(key, expired=True)
        command = self._cached(digest, architecture)
        if digest is None or command is None or await client.digest() != digest:
            body = await client.manifest(reference.version)
            digest = reference.digest or manifests.digest_of(body)
            command = self._cached(digest, architecture)
            if command is None:
                command = await _resolve(client, body, architecture)
        self._commands[digest, architecture] = command
        until = math.inf if reference.digest else self._clock() + _TAG_SECONDS
        self._digests[key] = (digest, until)
        return command


def _unknown(lookup: ImageLookup, error: TrialwatchError, causes: Sequence[str]) -> ImageUnknown:
    """Log why a command is unknown; return what the author of the pod is told."""
    _log.warning(
        "image command unknown",
        image=lookup.image,
        namespace=lookup.namespace,
        cause="; ".join((str(error), *causes[1:])),
    )
    return ImageUnknown("; ".join(causes))


async def _resolve(client: RegistryClient, body: bytes, architecture: str) -> ImageCommand:
    """Follow a manifest, through indexes if need be, to the image's configuration."""
    for _ in range(_MOST_INDEXES):
        document = manifests.read_manifest(body)
        if not isinstance(document, Index):
            return manifests.read_config(await client.blob(document.config.digest))
        own = _ARCHITECTURES.get(platform.machine(), platform.machine())
        # The pod may run on any node; most likely on one like the webhook's own.
        any_of = (own, *manifests.architectures_of(document))
        chosen = manifests.choose(document, (architecture,) if architecture else any_of)
        body = await client.manifest(chosen.digest)
    raise RemoteError(f"the registry answers with more than {_MOST_INDEXES} nested image indexes")
