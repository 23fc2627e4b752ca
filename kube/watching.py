"""The objects of one kind in memory, as they were in the cluster a moment ago.

    cache = WatchCache(cluster, Scope(kind), keep=json.dumps)
    task = asyncio.create_task(cache.run())     # until it is cancelled
    await cache.synced()
    cache.get("team", "trial-7")

It lists, then watches from there, and goes on after every interruption: from the last version seen
where the server still knows it, else with a new list. Every now and then it lists again even so:
what was missed, by whoever's fault, is put right then. Whatever is no longer in the cluster is
forgotten here too.
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
"""Objects of a list that are taken in before others get their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast to go on, and by whose clock and dice."""

    first_seconds: float = 0.25
    """Wait after the first interruption; each that follows at once doubles it."""
    longest_seconds: float = 30.0
    steady_seconds: float = 10.0
    """What lasted that long counts as well again."""
    resync_seconds: float = 900.0
    """After which all is listed again, give or take a fifth, so that replicas do not do so
    together."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Random = field(default_factory=Random)


def _nobody(_: Ref) -> None:
    """Tell nobody."""


def _unmourned(_: Ref, __: object) -> None:
    """Tell nobody."""


class WatchCache(Generic[Kept]):
    """The objects of a scope, by name."""

    def __init__(  # noqa: PLR0913 - what is kept, and who is told
        self,
        cluster: Cluster,
        scope: Scope,
        *,
        keep: Callable[[JsonObject], Kept],
        changed: Callable[[Ref], None] = _nobody,
        gone: Callable[[Ref, Kept], None] = _unmourned,
        pace: Pace | None = None,
    ) -> None:
        """`keep` makes of an object what is kept of it, and takes any object.

        `changed` is told of each object that came, changed or went, after it did. Before that,
        `gone` is told of each that went, with what is to be kept of it as it was last. Of one
        that went while nobody watched, that is what was known of it.
        """
        self.scope = scope
        self.trouble = ""
        """Why it is not up to date; empty while it is."""
        self.lists = self.watches = self.changes = self.failures = 0
        """How often it listed, watched, was told of a change, was interrupted by an error."""
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
        """Return what is kept of an object; None where it has not been seen."""
        found = self._objects.get((namespace, name))
        return None if found is None else found[1]

    def is_past(self, version: str) -> bool:
        """Say whether all that happened up to a version of some object is known here."""
        return bool(self._version) and not _is_later(version, self._version)

    @property
    def is_synced(self) -> bool:
        """Whether all objects that were there at the start have been seen."""
        return self._synced.is_set()

    async def synced(self) -> None:
        """Wait until they have."""
        await self._synced.wait()

    async def run(self) -> NoReturn:
        """Keep up with the cluster until cancelled, whatever it does."""
        while True:
            started = self._pace.clock()
            ended_well = await self._keep_up()
            lasted = self._pace.clock() - started
            if lasted >= self._pace.steady_seconds:
                self._waits = self._backoff.waits(self._pace.random.random)
            if not ended_well or lasted < self._pace.steady_seconds:
                await self._pace.sleep(next(self._waits))

    async def _keep_up(self) -> bool:
        """List where that is due, and watch once; return whether the server ended it in order."""
        try:
            if not self._version or self._pace.clock() >= self._resync_at:
                await self._list()
            await self._watch()
        except Gone as error:
            self._version = ""
            _log.info("listing again", **self._fields(error))
        except Unavailable as error:
            self._note(error)
        except TrialwatchError as error:
            self._version = ""  # The version may be what it does not like.
            self._note(error)
        else:
            self._well()
            return True
        return False

    async def _list(self) -> None:
        """Take the place of all that is known."""
        self.lists += 1
        fresh: dict[tuple[str, str], tuple[str, Kept]] = {}
        version = ""
        async with aclosing(self._cluster.pages(self.scope)) as pages:
            async for page in pages:
                version = page.version
                for number, document in enumerate(page.items, 1):
                    self._take_in(document, fresh)
                    if number % _STEP == 0:
                        await asyncio.sleep(0)
        before, self._objects = self._objects, fresh
        self._version = version
        spread = self._pace.random.uniform(0.8, 1.2)
        self._resync_at = self._pace.clock() + self._pace.resync_seconds * spread
        self._well()
        self._synced.set()
        for key in before.keys() | fresh.keys():
            if key not in fresh:
                self._gone(self._ref(key), before[key][1])
            if before.get(key, ("",))[0] != fresh.get(key, ("",))[0]:
                self._changed(self._ref(key))

    def _take_in(
        self, document: JsonObject, fresh: dict[tuple[str, str], tuple[str, Kept]]
    ) -> None:
        key, version = _key(document), version_of(document)
        known = self._objects.get(key)
        same = known is not None and known[0] == version
        fresh[key] = known if known and same else (version, self._keep(document))

    async def _watch(self) -> None:
        self.watches += 1
        async with aclosing(self._cluster.watch(self.scope, since=self._version)) as changes:
            async for change in changes:
                self._well()
                self._apply(change)

    def _apply(self, change: Change) -> None:
        """Take a change in, unless it is known: after an interruption some are told twice."""
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

    def _well(self) -> None:
        if self.trouble:
            _log.info("cache is up to date again", **self._fields())
        self.trouble = ""

    def _note(self, error: TrialwatchError) -> None:
        """Remember an interruption, and log it where it is not the same as before."""
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
    """Compare two versions; they are numbers, and where they are not, every change counts."""
    if version.isascii() and version.isdigit() and seen.isascii() and seen.isdigit():
        return int(version) > int(seen)
    return version != seen
