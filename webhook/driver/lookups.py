"""Answers what a review asks about a cluster: from memory, and where that does not know, from it.

An object that the memory has not seen may have been made a moment ago, so before it is called
absent the API server is asked. A look-up that fails is tried again until the deadline.

Kinds that are not watched are asked for one by one; who owns such an object is remembered for a
while, because its pods come in numbers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from cachetools import TTLCache

from api.backoff import Backoff
from api.errors import TrialwatchError, Unavailable
from api.objects.metadata import API_VERSION
from api.types import JsonObject
from kube.cluster import Cluster, Kind, Ref, uid_of
from kube.errors import NotFound
from kube.watching import Pace, Scope, WatchCache
from webhook.pods.owners import Absent, Answer, Failed, Found, Wanted

JOB: Final = Kind(api_version="batch/v1", kind="Job")
SUGGESTION: Final = Kind(api_version=API_VERSION, kind="Suggestion")
TRIAL: Final = Kind(api_version=API_VERSION, kind="Trial")
_BACKOFF = Backoff(first=0.05, longest=1.0, spread=0.5)
REMEMBER_SECONDS: Final = 30.0
"""How long the owners of an object of another kind are taken to be the same."""
_MOST_REMEMBERED: Final = 4096
_OTHER: Final = "other"


class Source(StrEnum):
    """Where an answer came from."""

    CACHE = "cache"
    """It was in memory."""
    API = "api"
    """The API server was asked."""
    ABSENT = "absent"
    """It was asked, and there is no such object."""
    FAILED = "failed"
    """It was asked, and gave no answer."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an object: as text, which takes a fifth of the memory."""

    uid: str
    text: bytes


def keep_lean(document: JsonObject) -> Kept:
    """Keep what a review may look at: of a trial not the job, of nothing the status."""
    spec = document.get("spec")
    if isinstance(spec, Mapping):
        spec = {key: value for key, value in spec.items() if key != "runSpec"}
    rest = {key: value for key, value in document.items() if key != "status"}
    lean = {**rest, "metadata": _metadata(document), "spec": spec}
    return Kept(uid_of(document), json.dumps(lean, separators=(",", ":")).encode())


def keep_owners(document: JsonObject) -> Kept:
    """Keep who owns an object, and nothing else."""
    metadata = _metadata(document)
    owners = {key: metadata[key] for key in ("ownerReferences",) if key in metadata}
    text = json.dumps({"metadata": owners}, separators=(",", ":")).encode()
    return Kept(uid_of(document), text)


def caches(cluster: Cluster, pace: Pace | None = None) -> tuple[WatchCache[Kept], ...]:
    """Make the caches of what nearly every review asks for; they are yet to be run."""
    kept = ((TRIAL, keep_lean), (SUGGESTION, keep_lean), (JOB, keep_owners))
    return tuple(WatchCache(cluster, Scope(kind=kind), keep=keep, pace=pace) for kind, keep in kept)


class LookUps:
    """Answers questions about objects."""

    def __init__(
        self,
        cluster: Cluster,
        caches: Iterable[WatchCache[Kept]] = (),
        *,
        counted: Callable[[str, Source], None],
        random: Random | None = None,
    ) -> None:
        """`counted` is told each look-up's kind (`other` where it is not cached) and source."""
        self._cluster, self._counted = cluster, counted
        self._caches = {cache.scope.kind: cache for cache in caches}
        self._random = random or Random()  # noqa: S311 - spreads load, keeps no secret
        self._owners: TTLCache[Wanted, Kept] = TTLCache(
            _MOST_REMEMBERED, REMEMBER_SECONDS, timer=asyncio.get_running_loop().time
        )

    async def answer(self, wanted: Wanted, deadline: float) -> Answer:
        """Answer before the event loop's clock is at the deadline. Never raises."""
        cache = self._caches.get(Kind(api_version=wanted.api_version, kind=wanted.kind))
        label = _OTHER if cache is None else wanted.kind
        kept = (
            self._owners.get(wanted) if cache is None else cache.get(wanted.namespace, wanted.name)
        )
        # One of another uid was deleted, and its name taken: the memory is behind.
        if kept is not None and wanted.uid in {"", kept.uid}:
            self._counted(label, Source.CACHE)
            return Found(json.loads(kept.text))
        answer = await self._ask(wanted, deadline)
        self._counted(label, _source(answer))
        if cache is None and isinstance(answer, Found):
            self._remember(wanted, answer.document)
        return answer

    def _remember(self, wanted: Wanted, document: JsonObject) -> None:
        """Remember who owns the very object that was meant."""
        kept = keep_owners(document)
        if wanted.uid and wanted.uid == kept.uid:
            self._owners[wanted] = kept

    async def _ask(self, wanted: Wanted, deadline: float) -> Answer:
        ref = Ref(
            api_version=wanted.api_version,
            kind=wanted.kind,
            namespace=wanted.namespace,
            name=wanted.name,
        )
        cause = "the API server did not answer in time"
        waits = _BACKOFF.waits(self._random.random)
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    try:
                        return Found(await self._cluster.get(ref))
                    except Unavailable as error:
                        cause = str(error)
                    await asyncio.sleep(next(waits))
        except NotFound:
            return Absent()
        except TrialwatchError as error:
            return Failed(str(error))
        except TimeoutError:
            return Failed(cause)


def _source(answer: Answer) -> Source:
    match answer:
        case Found():
            return Source.API
        case Absent():
            return Source.ABSENT
        case Failed():
            return Source.FAILED


def _metadata(document: JsonObject) -> JsonObject:
    """Return the metadata without what only the API server cares for."""
    metadata = document.get("metadata")
    said = metadata if isinstance(metadata, Mapping) else {}
    return {key: value for key, value in said.items() if key != "managedFields"}
