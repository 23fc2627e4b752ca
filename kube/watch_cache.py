"""The objects of one kind in memory, as they were in the cluster a moment ago.

    cache = WatchCache(cluster, Scope(kind), keep=json.dumps)
    task = asyncio.create_task(cache.run())     # until it is cancelled
    await cache.synced()
    cache.get("team", "trial-7")

It lists, then watches from there. After an interruption it watches from the last version that it
saw; if the server has forgotten that version, it lists again. It also lists again every
`resync_seconds`, which repairs what a watch missed. Objects that are gone from the cluster are
dropped here too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random
from typing import Generic, NoReturn, TypeVar

from api.backoff import Backoff
from api.errors import TrialwatchError, Unavailable
from api.types import JsonObject
from kube.cluster import Change, ChangeType, Cluster, Ref, Scope, ref_of, version_of
from kube.errors import Gone
from serving.logs import get_logger

_log = get_logger(__name__)
Kept = TypeVar("Kept")
_STEP = 100
"""Objects of a list that are read before other tasks may run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long to wait between attempts, with the clock and the randomness."""

    first_seconds: float = 0.25
    """The wait after the first interruption; each further interruption doubles it."""
    longest_seconds: float = 30.0
    steady_seconds: float = 10.0
    """A watch that lasted so long resets the wait."""
    resync_seconds: float = 900.0
    """The time between two lists, plus or minus a fifth, so that replicas do not list together."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Random = field(default_factory=Random)


def _ignore_change(_: Ref) -> None:
    """Do nothing."""


def _ignore_deletion(_: Ref, __: object) -> None:
    """Do nothing."""


class WatchCache(Generic[Kept]):
    """The objects of a scope, by name."""

    def __init__(  # noqa: PLR0913 - what is kept, and two callbacks
        self,
        cluster: Cluster,
        scope: Scope,
        *,
        keep: Callable[[JsonObject], Kept],
        changed: Callable[[Ref], None] = _ignore_change,
        gone: Callable[[Ref, Kept], None] = _ignore_deletion,
        pace: Pace | None = None,
    ) -> None:
        """Make it.

        Args:
            cluster: the cluster.
            scope: which objects.
            keep: returns what the cache keeps of an object; accepts any object.
            changed: called after an object was added, changed or deleted.
            gone: called before `changed` for a deleted object, with what `keep` returns of its last
                state; if it was deleted during an interruption, with the last known state.
            pace: the waits.
        """
        self.scope = scope
        self.trouble = ""
        """Why the cache is out of date; empty while it is up to date."""
        self.lists = self.watches = self.changes = self.failures = 0
        """The numbers of lists, watches, changes and interruptions so far."""
        self._cluster, self._keep, self._changed, self._gone = cluster, keep, changed, gone
        self._pace = pace or Pace()
        self._backoff = Backoff(
            first=self._pace.first_seconds, longest=self._pace.longest_seconds, spread=0.5
        )
        self._waits = self._backoff.waits(self._pace.random.random)
        self._objects: dict[tuple[str, str], tuple[str, Kept]] = {}
        self._version = ""
        self._resync_at = 0.0
        self._synced = asyncio.Event()

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Kept]:
        return (kept for _, kept in self._objects.values())

    def get(self, namespace: str, name: str) -> Kept | None:
        """Return what is kept of an object; None if the cache does not have it."""
        entry = self._objects.get((namespace, name))
        return None if entry is None else entry[1]

    def is_past(self, version: str) -> bool:
        """Return whether the cache has seen all changes up to a version."""
        return bool(self._version) and not _is_later(version, self._version)

    @property
    def is_synced(self) -> bool:
        """Whether the first list is complete."""
        return self._synced.is_set()

    async def synced(self) -> None:
        """Wait until the first list is complete."""
        await self._synced.wait()

    async def run(self) -> NoReturn:
        """Follow the cluster until cancelled; no error ends it."""
        while True:
            started = self._pace.clock()
            ended_well = await self._list_and_watch()
            lasted = self._pace.clock() - started
            if lasted >= self._pace.steady_seconds:
                self._waits = self._backoff.waits(self._pace.random.random)
            if not ended_well or lasted < self._pace.steady_seconds:
                await self._pace.sleep(next(self._waits))

    async def _list_and_watch(self) -> bool:
        """List if that is due, and watch once; return whether the watch ended normally."""
        try:
            if not self._version or self._pace.clock() >= self._resync_at:
                await self._list()
            await self._watch()
        except Gone as error:
            self._version = ""
            _log.info("listing again", **self._fields(error))
        except Unavailable as error:
            self._mark_out_of_date(error)
        except TrialwatchError as error:
            self._version = ""  # the version may be what the server refuses
            self._mark_out_of_date(error)
        else:
            self._mark_up_to_date()
            return True
        return False

    async def _list(self) -> None:
        """Replace all that the cache holds."""
        self.lists += 1
        fresh: dict[tuple[str, str], tuple[str, Kept]] = {}
        version = ""
        async with aclosing(self._cluster.pages(self.scope)) as pages:
            async for page in pages:
                version = page.version
                for number, document in enumerate(page.items, 1):
                    self._add(document, fresh)
                    if number % _STEP == 0:
                        await asyncio.sleep(0)
        before, self._objects = self._objects, fresh
        self._version = version
        spread = self._pace.random.uniform(0.8, 1.2)
        self._resync_at = self._pace.clock() + self._pace.resync_seconds * spread
        self._mark_up_to_date()
        self._synced.set()
        for key in before.keys() | fresh.keys():
            if key not in fresh:
                self._gone(self._ref(key), before[key][1])
            if before.get(key, ("",))[0] != fresh.get(key, ("",))[0]:
                self._changed(self._ref(key))

    def _add(self, document: JsonObject, fresh: dict[tuple[str, str], tuple[str, Kept]]) -> None:
        key, version = _key(document), version_of(document)
        known = self._objects.get(key)
        same = known is not None and known[0] == version
        fresh[key] = known if known and same else (version, self._keep(document))

    async def _watch(self) -> None:
        self.watches += 1
        async with aclosing(self._cluster.watch(self.scope, since=self._version)) as changes:
            async for change in changes:
                self._mark_up_to_date()
                self._apply(change)

    def _apply(self, change: Change) -> None:
        """Apply a change, unless it is known: after an interruption some changes come twice."""
        if not _is_later(change.version, self._version):
            return
        self._version = change.version
        if change.type is ChangeType.BOOKMARK:
            return
        self.changes += 1
        key = _key(change.document)
        if change.type is ChangeType.DELETED:
            self._objects.pop(key, None)
            self._gone(self._ref(key), self._keep(change.document))
        else:
            self._objects[key] = (change.version, self._keep(change.document))
        self._changed(self._ref(key))

    def _ref(self, key: tuple[str, str]) -> Ref:
        namespace, name = key
        kind = self.scope.kind
        return Ref(api_version=kind.api_version, kind=kind.kind, namespace=namespace, name=name)

    def _mark_up_to_date(self) -> None:
        if self.trouble:
            _log.info("cache is up to date again", **self._fields())
        self.trouble = ""

    def _mark_out_of_date(self, error: TrialwatchError) -> None:
        """Remember an interruption; log it unless it is the same as before."""
        self.failures += 1
        if str(error) != self.trouble:
            _log.warning("cache is out of date", **self._fields(error))
        self.trouble = str(error)

    def _fields(self, error: TrialwatchError | None = None) -> dict[str, object]:
        return {"kind": str(self.scope.kind), **({"cause": str(error)} if error else {})}


def _key(document: JsonObject) -> tuple[str, str]:
    ref = ref_of(document)
    return ref.namespace, ref.name


def _is_later(version: str, seen: str) -> bool:
    """Compare two versions as numbers; if one is not a number, any difference counts as later."""
    if version.isascii() and version.isdigit() and seen.isascii() and seen.isdigit():
        return int(version) > int(seen)
    return version != seen
