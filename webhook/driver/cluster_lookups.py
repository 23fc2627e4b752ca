"""Answers a decision's look-ups of objects: from caches, and else from the API server.

A cache may be a moment old. So an object that it does not have, or has with another uid, is looked
up at the API server before it counts as absent. A look-up that fails is retried until the deadline.

Objects of kinds that are not watched are looked up one by one. Their owners are cached for a while,
because one owner has many pods.
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
from api.documents import mapping_at
from api.errors import TrialwatchError, Unavailable
from api.objects.metadata import API_VERSION
from api.types import JsonObject
from kube.cluster import Cluster, Kind, Ref, Scope, uid_of
from kube.errors import NotFound
from kube.watch_cache import Pace, WatchCache
from webhook.model.lookups import (
    LookupFailed,
    ObjectAbsent,
    ObjectAnswer,
    ObjectFound,
    ObjectLookup,
)
from webhook.pods.one_pod import only_counts

JOB: Final = Kind(api_version="batch/v1", kind="Job")
SUGGESTION: Final = Kind(api_version=API_VERSION, kind="Suggestion")
TRIAL: Final = Kind(api_version=API_VERSION, kind="Trial")
_BACKOFF = Backoff(first=0.05, longest=1.0, spread=0.5)
OWNERS_SECONDS: Final = 30.0
"""How long the owners of an object of an unwatched kind are cached."""
_MOST_OWNERS: Final = 4096
_OTHER: Final = "other"


class LookupSource(StrEnum):
    """Where an answer came from."""

    CACHE = "cache"
    """From a cache."""
    API = "api"
    """From the API server."""
    ABSENT = "absent"
    """From the API server, which does not have the object."""
    FAILED = "failed"
    """The API server gave no answer."""


@dataclass(frozen=True, slots=True)
class CachedObject:
    """An object in a cache, as JSON bytes: they take a fifth of the memory."""

    uid: str
    text: bytes


def without_job_and_status(document: JsonObject) -> CachedObject:
    """Cache what a decision may read: of a trial's job only the counts of pods, and no status."""
    spec = document.get("spec")
    if isinstance(spec, Mapping) and "runSpec" in spec:
        spec = {**spec, "runSpec": only_counts(mapping_at(spec, "runSpec"))}
    rest = {key: value for key, value in document.items() if key != "status"}
    lean = {**rest, "metadata": _metadata(document), "spec": spec}
    return CachedObject(uid_of(document), json.dumps(lean, separators=(",", ":")).encode())


def owners_only(document: JsonObject) -> CachedObject:
    """Cache only the owner references of an object."""
    metadata = _metadata(document)
    owners = {key: metadata[key] for key in ("ownerReferences",) if key in metadata}
    text = json.dumps({"metadata": owners}, separators=(",", ":")).encode()
    return CachedObject(uid_of(document), text)


def lookup_caches(
    cluster: Cluster, pace: Pace | None = None
) -> tuple[WatchCache[CachedObject], ...]:
    """Make the caches of the kinds that nearly every decision looks up; run them to fill them."""
    kept = (
        (TRIAL, without_job_and_status),
        (SUGGESTION, without_job_and_status),
        (JOB, owners_only),
    )
    return tuple(WatchCache(cluster, Scope(kind), keep=keep, pace=pace) for kind, keep in kept)


class ClusterLookups:
    """Answers look-ups of objects."""

    def __init__(
        self,
        cluster: Cluster,
        caches: Iterable[WatchCache[CachedObject]] = (),
        *,
        counted: Callable[[str, LookupSource], None],
        random: Random | None = None,
    ) -> None:
        """`counted` gets the kind (`other`: not cached) and the source of each answer."""
        self._cluster, self._counted = cluster, counted
        self._caches = {cache.scope.kind: cache for cache in caches}
        self._random = random or Random()  # noqa: S311 - spreads load, keeps no secret
        self._owners: TTLCache[ObjectLookup, CachedObject] = TTLCache(
            _MOST_OWNERS, OWNERS_SECONDS, timer=asyncio.get_running_loop().time
        )

    async def answer(self, lookup: ObjectLookup, deadline: float) -> ObjectAnswer:
        """Answer before the event loop's clock reaches the deadline. Never raises."""
        cache = self._caches.get(Kind(api_version=lookup.api_version, kind=lookup.kind))
        label = _OTHER if cache is None else lookup.kind
        cached = (
            self._owners.get(lookup) if cache is None else cache.get(lookup.namespace, lookup.name)
        )
        # With another uid it was deleted and created again, and the cache is out of date.
        if cached is not None and lookup.uid in {"", cached.uid}:
            self._counted(label, LookupSource.CACHE)
            return ObjectFound(json.loads(cached.text))
        answer = await self._ask(lookup, deadline)
        self._counted(label, _source(answer))
        if cache is None and isinstance(answer, ObjectFound):
            self._cache_owners(lookup, answer.document)
        return answer

    def _cache_owners(self, lookup: ObjectLookup, document: JsonObject) -> None:
        """Cache the owners of an object, if it is the one that the look-up's uid means."""
        owners = owners_only(document)
        if lookup.uid and lookup.uid == owners.uid:
            self._owners[lookup] = owners

    async def _ask(self, lookup: ObjectLookup, deadline: float) -> ObjectAnswer:
        ref = Ref(
            api_version=lookup.api_version,
            kind=lookup.kind,
            namespace=lookup.namespace,
            name=lookup.name,
        )
        cause = "the API server did not answer in time"
        waits = _BACKOFF.waits(self._random.random)
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    try:
                        return ObjectFound(await self._cluster.get(ref))
                    except Unavailable as error:
                        cause = str(error)
                    await asyncio.sleep(next(waits))
        except NotFound:
            return ObjectAbsent()
        except TrialwatchError as error:
            return LookupFailed(str(error))
        except TimeoutError:
            return LookupFailed(cause)


def _source(answer: ObjectAnswer) -> LookupSource:
    match answer:
        case ObjectFound():
            return LookupSource.API
        case ObjectAbsent():
            return LookupSource.ABSENT
        case LookupFailed():
            return LookupSource.FAILED


def _metadata(document: JsonObject) -> JsonObject:
    """Return the metadata without `managedFields`, which only the API server needs."""
    fields = mapping_at(document, "metadata")
    return {key: value for key, value in fields.items() if key != "managedFields"}
