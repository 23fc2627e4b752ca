"""One watch for each kind of job, started when the first trial needs that kind."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from api.types import JsonObject
from controller.on_kube.job_documents import without_managed_fields
from kube.cluster import Cluster, Kind, Ref, Scope
from kube.watch_cache import Pace, WatchCache

Start = Callable[[Coroutine[Any, Any, object]], object]
"""Runs a coroutine in the background until the program ends: `TaskGroup.create_task`, say."""
JobWatch: TypeAlias = "WatchCache[JsonObject | None]"
"""Jobs of one kind by name; None for an object that no trial owns."""


class JobWatches:
    """The watches of jobs, in one namespace or (if it is empty) in all."""

    def __init__(  # noqa: PLR0913 - the cluster, what to watch, and two callbacks
        self,
        cluster: Cluster,
        start: Start,
        changed: Callable[[Ref], None],
        deleted: Callable[[Ref, JsonObject | None], None],
        *,
        namespace: str = "",
        pace: Pace | None = None,
    ) -> None:
        """Call `changed` for each job that was created, changed or deleted.

        `deleted` is called before it, with the last version of a deleted job. `start` runs the
        watches.
        """
        self._cluster, self._start = cluster, start
        self._changed, self._deleted = changed, deleted
        self._namespace, self._pace = namespace, pace
        self._by_kind: dict[Kind, JobWatch] = {}

    def __len__(self) -> int:
        return len(self._by_kind)

    def of(self, kind: Kind) -> JobWatch:
        """Return the watch of a kind; start it if this is the first call for the kind."""
        if kind not in self._by_kind:
            watch: JobWatch = WatchCache(
                self._cluster,
                Scope(kind, self._namespace),
                keep=without_managed_fields,
                changed=self._changed,
                gone=self._deleted,
                pace=self._pace,
            )
            self._by_kind[kind] = watch
            self._start(watch.run())
        return self._by_kind[kind]

    def get(self, job: Ref) -> JsonObject | None:
        """Return a job as its watch has it; None if it is unknown or no trial owns it."""
        watch = self._by_kind.get(job.of)
        return None if watch is None else watch.get(job.namespace, job.name)

    def trouble(self, kind: Kind) -> str:
        """Return why a kind cannot be watched; "" if its watch has listed all objects once."""
        watch = self._by_kind.get(kind)
        return "" if watch is None or watch.is_synced else watch.trouble

    async def synced(self) -> None:
        """Wait until each watch of this moment has listed all objects."""
        for watch in list(self._by_kind.values()):
            await watch.synced()
