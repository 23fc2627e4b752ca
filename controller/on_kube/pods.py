"""The pods of all trials, from a watch; of deleted pods the last version.

A finished pod may disappear within a second, with its termination message. So the message is taken
from the watch, also from the event that deletes the pod.
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
from kube.watch_cache import Pace, WatchCache

_POD = Kind(api_version="v1", kind="Pod")
_MAX_TRIALS, _MAX_PODS = 5_000, 5
"""Of how many trials deleted pods are remembered, until the trial has its observation, and how many
pods of each. The oldest are dropped, first those without a collector. A message has up to 4 KiB."""
_Summaries = dict[str, PodSummary]
"""By a pod's name."""


class ClusterPods:
    """The pods of one namespace, or (if it is empty) of all. Run `watch`."""

    def __init__(
        self,
        cluster: Cluster,
        changed: Callable[[Key], None],
        namespace: str = "",
        pace: Pace | None = None,
    ) -> None:
        """Call `changed` for each trial whose pods have changed in a way that matters."""
        self._cluster, self._changed = cluster, changed
        self.watch: WatchCache[PodSummary] = WatchCache(
            cluster,
            Scope(_POD, namespace, labels={TRIAL_LABEL: None}),
            keep=summary_of,
            changed=self._pod_changed,
            gone=self._pod_deleted,
            pace=pace,
        )
        self._existing: dict[Key, _Summaries] = {}
        self._deleted: LRUCache[Key, _Summaries] = LRUCache(_MAX_TRIALS)
        self._listings: LRUCache[Key, tuple[str, _Summaries]] = LRUCache(_MAX_TRIALS)

    def any_of(self, trial: Key) -> bool:
        """Return whether a trial has a pod now."""
        return bool(self._existing.get(trial))

    def facts(self, trial: Trial) -> PodFacts:
        """Return what the watch knows about the trial's pods."""
        return facts_of(self._known(key_of(trial)).values(), trial)

    async def final_facts(self, trial: Trial, version: str) -> PodFacts:
        """Return what is known after the job has ended; `version` is the version of the job.

        The watch of jobs may be ahead of the watch of pods. So if the watch has not seen the end of
        the collector, the pods are listed, once for each version of the job.
        """
        key = key_of(trial)
        known = self._known(key)
        newest = newest_primary_pod(known.values(), trial)
        if newest is None or (newest.injected and not newest.collector_ended):
            known = known | await self._listed(key, version)
        return facts_of(known.values(), trial)

    def forget(self, trial: Key) -> None:
        """Forget the pods of a trial that has its observation."""
        self._deleted.pop(trial, None)
        self._listings.pop(trial, None)

    def _known(self, trial: Key) -> _Summaries:
        return self._deleted.get(trial, {}) | self._existing.get(trial, {})

    async def _listed(self, trial: Key, version: str) -> _Summaries:
        asked = self._listings.get(trial)
        if asked is not None and asked[0] == version:
            return asked[1]
        scope = Scope(_POD, trial.namespace, labels={TRIAL_LABEL: trial.name})
        listing = await with_port_errors(self._cluster.list(scope))
        summaries = {ref_of(pod).name: summary_of(pod) for pod in listing.items}
        self._listings[trial] = (version, summaries)
        return summaries

    def _pod_changed(self, ref: Ref) -> None:
        summary = self.watch.get(ref.namespace, ref.name)
        if summary is None:
            return
        trial = Key(namespace=ref.namespace, name=summary.trial)
        summaries = self._existing.setdefault(trial, {})
        if summaries.get(ref.name) != summary:
            summaries[ref.name] = summary
            self._changed(trial)

    def _pod_deleted(self, ref: Ref, summary: PodSummary) -> None:
        trial = Key(namespace=ref.namespace, name=summary.trial)
        existing = self._existing.get(trial, {})
        existing.pop(ref.name, None)
        if not existing:
            self._existing.pop(trial, None)
        summaries = self._deleted.get(trial, {})
        summaries[ref.name] = summary
        if len(summaries) > _MAX_PODS:
            without_collector = (name for name, pod in summaries.items() if not pod.injected)
            del summaries[next(without_collector, next(iter(summaries)))]
        self._deleted[trial] = summaries
        self._changed(trial)
