"""Asks registries what images run: within the time, once for all who ask, and remembered.

    async with open_session() as session, Images(session, cluster) as images:
        answer = await images.command_of(wanted, deadline)

What is remembered:

| what | how long | whose |
|---|---|---|
| a digest's command | as long as there is room | everybody's: a digest never means anything else |
| a tag's digest | a minute; then it is asked for again, which is no pull | that login's alone |
| an old tag's digest | where the registry does not answer at all | that login's alone |
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import platform
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import aiohttp
from cachetools import LRUCache

from api.errors import RemoteError, TrialwatchError, Unavailable
from kube.cluster import Cluster, Ref
from webhook.model.images import ImageCommand, ImageUnknown, ImageWanted
from webhook.registry import manifests
from webhook.registry.exchange import Denied, Exchange
from webhook.registry.manifests import Index
from webhook.registry.pull_secrets import Entry, Login, logins_for, read_entries
from webhook.registry.references import Reference, parse_reference

ASK_SECONDS: Final = 3.0
"""The API server waits ten seconds for the whole review."""
_TAG_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.1
_MOST_REMEMBERED: Final = 4096
_MOST_CONNECTIONS: Final = 32
_MOST_INDEXES: Final = 3
# Machines, as the kernel calls them and as images do.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_TOO_LATE: Final = "the registry did not answer in time"
_log = logging.getLogger(__name__)

_Key = tuple[Reference, str, str]


def open_session(connector: aiohttp.BaseConnector | None = None) -> aiohttp.ClientSession:
    """Return a session to ask registries with: no cookies, few connections, nothing unpacked."""
    return aiohttp.ClientSession(
        connector=connector or aiohttp.TCPConnector(limit=_MOST_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=ASK_SECONDS),
    )


class Images:
    """What images run, as their registries say."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        cluster: Cluster,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._session = session
        self._cluster = cluster
        self._clock = clock or asyncio.get_running_loop().time
        self._digests: LRUCache[_Key, tuple[str, float]] = LRUCache(_MOST_REMEMBERED)
        self._commands: LRUCache[tuple[str, str], ImageCommand] = LRUCache(_MOST_REMEMBERED)
        self._asked: dict[_Key, asyncio.Task[ImageCommand | TrialwatchError]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give up what is still being asked."""
        asked = list(self._asked.values())
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    async def command_of(self, wanted: ImageWanted, deadline: float) -> ImageCommand | ImageUnknown:
        """Say what an image runs, or why nobody knows.

        Never raises. The deadline is by the event loop's clock; three seconds are the most.
        """
        until = min(deadline, asyncio.get_running_loop().time() + ASK_SECONDS)
        silent: list[str] = []
        try:
            reference = parse_reference(wanted.image)
            logins = await self._logins(wanted, reference, until, silent)
            answer = await self._once_for_all(reference, wanted.architecture, logins, until)
        except TrialwatchError as error:
            cause = "; ".join((str(error), *silent))
            fields = {"image": wanted.image, "namespace": wanted.namespace, "cause": cause}
            _log.warning("nobody told an image's command", extra={"fields": fields})
            return ImageUnknown(cause)
        return answer

    async def _logins(
        self, wanted: ImageWanted, reference: Reference, until: float, silent: list[str]
    ) -> tuple[Login, ...]:
        """Return the pod's logins for the image; `silent` gets why there are not more of them."""
        names = dict.fromkeys(wanted.pull_secrets)
        try:
            async with asyncio.timeout_at(until):
                found = await asyncio.gather(*(self._entries(wanted.namespace, n) for n in names))
        except TimeoutError:
            raise Unavailable("the pod's imagePullSecrets could not be read in time") from None
        silent += [f"imagePullSecret {error}" for error in found if isinstance(error, str)]
        entries = [entry for several in found if not isinstance(several, str) for entry in several]
        return logins_for(reference.name, entries)

    async def _entries(self, namespace: str, name: str) -> tuple[Entry, ...] | str:
        secret = Ref(api_version="v1", kind="Secret", namespace=namespace, name=name)
        try:
            return read_entries(await self._cluster.get(secret))
        except TrialwatchError as error:
            return f"{name}: {error}"

    async def _once_for_all(
        self, reference: Reference, architecture: str, logins: tuple[Login, ...], until: float
    ) -> ImageCommand:
        """Ask, or wait for the answer where somebody asks already."""
        key = (reference, architecture, _fingerprint(logins))
        known = self._known(self._digest(key), architecture)
        if known is not None:
            return known
        task = self._asked.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, logins), name=f"ask for {reference}")
            self._asked[key] = task
            task.add_done_callback(lambda _: self._asked.pop(key))
        try:
            async with asyncio.timeout_at(until):
                # Who goes away early takes nothing from the others, nor from who asks next.
                answer = await asyncio.shield(task)
        except TimeoutError:
            answer = Unavailable(_TOO_LATE)
        return self._or_old(answer, key)

    def _or_old(self, answer: ImageCommand | TrialwatchError, key: _Key) -> ImageCommand:
        """Take what was true before where the registry does not answer; else raise."""
        if isinstance(answer, ImageCommand):
            return answer
        reference, architecture, _ = key
        old = self._known(self._digest(key, expired=True), architecture)
        if old is None or not isinstance(answer, Unavailable):
            raise answer
        fields = {"image": str(reference), "cause": str(answer)}
        _log.warning("took an image's command as it was before", extra={"fields": fields})
        return old

    def _digest(self, key: _Key, *, expired: bool = False) -> str | None:
        """Return the digest that a reference had, where that is still good or may be `expired`."""
        digest, until = self._digests.get(key, (None, 0.0))
        return digest if expired or self._clock() < until else None

    def _known(self, digest: str | None, architecture: str) -> ImageCommand | None:
        return self._commands.get((digest, architecture)) if digest else None

    async def _ask(self, key: _Key, logins: tuple[Login, ...]) -> ImageCommand | TrialwatchError:
        """Ask until there is an answer or no more time; errors are answers too."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self._with_one_of(key, logins)
        except TimeoutError:
            return Unavailable(_TOO_LATE)
        except TrialwatchError as error:
            return error

    async def _with_one_of(self, key: _Key, logins: tuple[Login, ...]) -> ImageCommand:
        """Try each login, as the kubelet does; without any, ask as anybody may."""
        denied = Denied("")
        for login in logins or (None,):
            exchange = Exchange(self._session, key[0], login)
            try:
                return await self._patiently(key, exchange)
            except Denied as error:
                denied = error
        raise denied

    async def _patiently(self, key: _Key, exchange: Exchange) -> ImageCommand:
        """Ask once more where a registry was only out for a moment."""
        try:
            return await self._command(key, exchange)
        except Unavailable:
            await asyncio.sleep(_PAUSE_SECONDS)
            return await self._command(key, exchange)

    async def _command(self, key: _Key, exchange: Exchange) -> ImageCommand:
        reference, architecture, _ = key
        old = self._digest(key, expired=True)
        command = self._known(old, architecture)
        if old is None or command is None or await exchange.digest() != old:
            body = await exchange.manifest(reference.version)
            old = reference.digest or manifests.digest_of(body)
            command = self._known(old, architecture)
            if command is None:
                command = await _resolve(exchange, body, architecture)
        self._commands[old, architecture] = command
        until = math.inf if reference.digest else self._clock() + _TAG_SECONDS
        self._digests[key] = (old, until)
        return command


async def _resolve(exchange: Exchange, body: bytes, architecture: str) -> ImageCommand:
    """Go from what a tag points at to what the image runs."""
    for _ in range(_MOST_INDEXES):
        document = manifests.read_manifest(body)
        if not isinstance(document, Index):
            return manifests.read_config(await exchange.blob(document.config.digest))
        own = _ARCHITECTURES.get(platform.machine(), platform.machine())
        # A pod may run on any node: on one like ours most probably.
        any_of = (own, *manifests.architectures_of(document))
        wanted = manifests.choose(document, (architecture,) if architecture else any_of)
        body = await exchange.manifest(wanted.digest)
    raise RemoteError("the registry's answer is an index of indexes without end")


def _fingerprint(logins: tuple[Login, ...]) -> str:
    """Tell logins apart without keeping their passwords."""
    digest = hashlib.sha256()
    for login in logins:
        for word in (login.username, login.password):
            digest.update(f"{len(word)}:{word}".encode(errors="surrogatepass"))
    return digest.hexdigest()
