"""The pods of all trials, as a watch has them, and those that are gone as they were last.

A finished pod may be gone within a second, and its last words with it; so they are taken from the
watch, the event of its deletion included.
"""

from __future__ import annotations

from collections.abc import Callable

from cachetools import LRUCache

from api.names import TRIAL_LABEL
from api.types import Trial
from controller.on_kube.pod_facts import PodSummary, facts_of, newest_primary_pod, summary_of
from controller.on_kube.read_your_writes_cache import with_port_errors
from controller.reconcile.views import Key, PodFacts, key_of
from kube.cluster import Cluster, Kind, Ref, Scope, ref_of
from kube.watching import Pace, WatchCache

_POD = Kind(api_version="v1", kind="Pod")
_MOST_TRIALS, _MOST_PODS = 5_000, 5
"""Of how many trials gone pods are remembered, until they were observed, and how many of each: the
oldest go, first of those without a collector. Each may have 4 KiB to say."""
_Notes = dict[str, PodSummary]
"""By a pod's name."""


class ClusterPods:
    """The pods of one namespace, or (where it is empty) of all. `watch` is to be run."""

    def __init__(
        self,
        cluster: Cluster,
        changed: Callable[[Key], None],
        namespace: str = "",
        pace: Pace | None = None,
    ) -> None:
        """`changed` is told of each trial of whose pods there is news that counts."""
        self._cluster, self._changed = cluster, changed
        self.watch: WatchCache[PodSummary] = WatchCache(
            cluster,
            Scope(_POD, namespace, labels={TRIAL_LABEL: None}),
            keep=summary_of,
            changed=self._seen,
            gone=self._left,
            pace=pace,
        )
        self._there: dict[Key, _Notes] = {}
        self._gone: LRUCache[Key, _Notes] = LRUCache(_MOST_TRIALS)
        self._asked: LRUCache[Key, tuple[str, _Notes]] = LRUCache(_MOST_TRIALS)

    def any_of(self, trial: Key) -> bool:
        """Say whether a trial has a pod now."""
        return bool(self._there.get(trial))

    def facts(self, trial: Trial) -> PodFacts:
        """Say what the watch knows."""
        return facts_of(self._known(key_of(trial)).values(), trial)

    async def last_facts(self, trial: Trial, version: str) -> PodFacts:
        """Say what is known once the job has ended; `version` is its version.

        The job's watch may be ahead of that of the pods. So where the watch has not heard the
        collector's last words, the pods are listed, once for each version of the job.
        """
        key = key_of(trial)
        known = self._known(key)
        speaker = newest_primary_pod(known.values(), trial)
        if speaker is None or (speaker.injected and not speaker.spoke):
            known = known | await self._listed(key, version)
        return facts_of(known.values(), trial)

    def forget(self, trial: Key) -> None:
        """The trial has ended, and needs no last words any more."""
        self._gone.pop(trial, None)
        self._asked.pop(trial, None)

    def _known(self, trial: Key) -> _Notes:
        return self._gone.get(trial, {}) | self._there.get(trial, {})

    async def _listed(self, trial: Key, version: str) -> _Notes:
        asked = self._asked.get(trial)
        if asked is not None and asked[0] == version:
            return asked[1]
        scope = Scope(_POD, trial.namespace, labels={TRIAL_LABEL: trial.name})
        found = await with_port_errors(self._cluster.list(scope))
        notes = {ref_of(pod).name: summary_of(pod) for pod in found.items}
        self._asked[trial] = (version, notes)
        return notes

    def _seen(self, ref: Ref) -> None:
        note = self.watch.get(ref.namespace, ref.name)
        if note is None:
            return
        trial = Key(namespace=ref.namespace, name=note.trial)
        notes = self._there.setdefault(trial, {})
        if notes.get(ref.name) != note:
            notes[ref.name] = note
            self._changed(trial)

    def _left(self, ref: Ref, note: PodSummary) -> None:
        trial = Key(namespace=ref.namespace, name=note.trial)
        there = self._there.get(trial, {})
        there.pop(ref.name, None)
        if not there:
            self._there.pop(trial, None)
        notes = self._gone.get(trial, {})
        notes[ref.name] = note
        if len(notes) > _MOST_PODS:
            silent = (name for name, one in notes.items() if not one.injected)
            del notes[next(silent, next(iter(notes)))]
        self._gone[trial] = notes
        self._changed(trial)
