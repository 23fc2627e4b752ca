"""Why a job gets no pod, as the Events of its controller say."""

from __future__ import annotations

from collections.abc import Callable

from cachetools import LRUCache

from api.documents import text_at
from api.types import JsonObject
from controller.reconcile.views import Key
from kube.cluster import Cluster, Kind, Scope
from kube.watch_cache import Pace, WatchCache

_EVENT = Kind(api_version="v1", kind="Event")
_REASONS = frozenset({"FailedCreate", "FailedCreatePod"})
"""The reasons of Events about a job, of any kind, that could not create a pod."""
_MAX_REFUSALS = 10_000


class PodRefusals:
    """The newest refusal of each job. Run `watch`."""

    def __init__(
        self,
        cluster: Cluster,
        changed: Callable[[Key], None],
        namespace: str = "",
        pace: Pace | None = None,
    ) -> None:
        """Call `changed` for each trial whose job was refused a pod."""
        self._changed = changed
        self._messages: LRUCache[str, str] = LRUCache(_MAX_REFUSALS)
        self._trials: dict[str, Key] = {}
        self.watch: WatchCache[None] = WatchCache(
            cluster,
            Scope(_EVENT, namespace),
            keep=self._note,
            pace=pace,
        )

    def track(self, job_uid: str, trial: Key) -> None:
        """Report refusals of this job, by uid, as changes of its trial."""
        self._trials[job_uid] = trial

    def untrack(self, job_uid: str) -> None:
        """Stop reporting refusals of a job that was deleted."""
        self._trials.pop(job_uid, None)

    def message(self, job_uid: str) -> str:
        """Return why this job got no pod; "" if no Event says so."""
        return self._messages.get(job_uid, "")

    def _note(self, event: JsonObject) -> None:
        uid = text_at(event, "involvedObject", "uid")
        if uid and text_at(event, "reason") in _REASONS:
            self._messages[uid] = text_at(event, "message")
            if uid in self._trials:
                self._changed(self._trials[uid])
