"""The port `Jobs` over a cluster: jobs of any kind, their pods, and why there are none.

A kind is watched from the first trial that asks for it, so one whose CRD comes later needs no
restart.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from cachetools import LRUCache

from api.errors import RemoteError
from api.names import UNAVAILABLE_TIME
from api.objects.metadata import API_VERSION
from api.types import Json, JsonObject, Trial
from controller.driver.ports import Conflict
from controller.on_kube.pod_facts import listed
from controller.on_kube.pods import ClusterPods
from controller.on_kube.read_your_writes_cache import AbsentError, UnservedError, with_port_errors
from controller.reconcile.jobs import JobOutcome, state_of_job
from controller.reconcile.trial_states import has_ended
from controller.reconcile.views import JobFacts, Key
from kube.cluster import Cluster, Kind, Propagation, Ref, Scope, uid_of, version_of
from kube.watching import Pace, WatchCache

_EVENT = Kind(api_version="v1", kind="Event")
_REFUSED = frozenset({"FailedCreate", "FailedCreatePod"})
"""The reasons of the events by which a job of any kind says that it could not create a pod."""
_MOST_REFUSALS = 10_000
_MOST_VANISHED = 1_000
"""A job that is gone counts until its trial has had the turn that this gives it."""
Start = Callable[[Coroutine[Any, Any, object]], object]
"""Runs something beside us, until the program ends: `TaskGroup.create_task`, say."""


class ClusterJobs:
    """The jobs of trials, in one namespace or (where it is empty) in all."""

    def __init__(
        self,
        cluster: Cluster,
        changed: Callable[[Key], None],
        start: Start,
        namespace: str = "",
        pace: Pace | None = None,
    ) -> None:
        """`changed` is told of each trial whose job has changed; `start` runs the watches."""
        self._cluster, self._changed, self._start = cluster, changed, start
        self._namespace, self._pace = namespace, pace
        self._watches: dict[Kind, WatchCache[JsonObject | None]] = {}
        self._made: dict[Ref, JsonObject] = {}
        self._going: dict[Ref, str] = {}
        self._vanished: LRUCache[Ref, JsonObject] = LRUCache(_MOST_VANISHED)
        self.pods = ClusterPods(cluster, changed, namespace, pace)
        self._refusals: LRUCache[str, str] = LRUCache(_MOST_REFUSALS)
        self._jobs: dict[str, Key] = {}

    def watch(self, kind: Kind) -> None:
        """Watch jobs of this kind from now on, before a trial asks for one."""
        self._watch(kind)

    async def synced(self) -> None:
        """Wait until all jobs of the kinds that are watched by now, and all pods, are known."""
        for watch in list(self._watches.values()):
            await watch.synced()
        if self._watches:
            await self.pods.watch.synced()

    def trouble(self, trial: Trial) -> str:
        """Say why a trial's job cannot be watched; empty where it is, or was until a moment ago."""
        watch = self._watches.get(_ref(trial).of)
        return "" if watch is None or watch.is_synced else watch.trouble

    async def look(self, trial: Trial) -> JobFacts:
        """Say what is known of the trial's job and pods."""
        ref = _ref(trial)
        document = await self._document(ref)
        over = has_ended(trial) and trial.status.completion_time is not None
        if over:
            self.pods.forget(_key(ref))
        if document is None:
            last = self._vanished.get(ref)
            if last is None or over:
                return JobFacts(document=last, gone=last is not None)
            pods = await self.pods.last_facts(trial, version_of(last))
            return JobFacts(document=last, gone=True, pods=pods)
        self._jobs[uid_of(document)] = _key(ref)
        marked = self._marked(ref, document)
        if over:
            return JobFacts(document=marked)
        if state_of_job(trial, document).outcome is not JobOutcome.RUNNING:
            pods = await self.pods.last_facts(trial, version_of(document))
            return JobFacts(document=marked, pods=pods)
        facts = self.pods.facts(trial)
        return JobFacts(document=marked, pods=replace(facts, refused=self._refused(ref, document)))

    async def create(self, trial: Trial, document: JsonObject) -> None:
        """Create the job; one of its name that is there is looked at."""
        ref = _ref(trial)
        try:
            made = await with_port_errors(self._cluster.create(document))
        except Conflict:
            await self._look_again(trial, ref)
            return
        except AbsentError as error:
            raise Conflict(f"its namespace is gone: {error}") from None
        self._vanished.pop(ref, None)
        self._made[ref] = made

    async def delete(self, trial: Trial) -> None:
        """Begin to delete the job; its pods go first."""
        ref = _ref(trial)
        document = await self._document(ref)
        if document is None or not _is_of(document, trial):
            return
        uid = uid_of(document)
        try:
            await with_port_errors(
                self._cluster.delete(ref, uid=uid, propagation=Propagation.FOREGROUND)
            )
        except (AbsentError, UnservedError, Conflict):
            uid = ""
        self._going[ref] = uid
        # The watch may never have seen it; from here on it alone says whether the job is there.
        self._made.pop(ref, None)

    # -- jobs -------------------------------------------------------------------------------

    async def _document(self, ref: Ref) -> JsonObject | None:
        """Return a job as the watch has it, or as it was made; before the watch has, ask."""
        watch = self._watch(ref.of)
        if not watch.is_synced:
            return await self._asked(ref)
        seen, made = watch.get(ref.namespace, ref.name), self._made.get(ref)
        if made is None:
            return seen
        if not watch.is_past(version_of(made)):
            return made
        # Others may have deleted it before the watch, or the list after it, ever had it.
        self._forget(ref, gone=seen is None)
        return seen

    async def _asked(self, ref: Ref) -> JsonObject | None:
        """Ask for a job, and keep the answer for when it is gone."""
        try:
            self._made[ref] = await with_port_errors(self._cluster.get(ref))
        except (AbsentError, UnservedError):
            self._forget(ref, gone=True)
        return self._made.get(ref)

    def _forget(self, ref: Ref, *, gone: bool) -> None:
        """Take no more account of a job as it was made; of one that is gone remember how it was."""
        made = self._made.pop(ref, None)
        if gone and made is not None:
            self._vanished[ref] = made

    def _watch(self, kind: Kind) -> WatchCache[JsonObject | None]:
        if kind not in self._watches:
            if not self._watches:
                self._start(self.pods.watch.run())
                self._start_watching_events()
            watch: WatchCache[JsonObject | None] = WatchCache(
                self._cluster,
                Scope(kind, self._namespace),
                keep=self._keep,
                changed=self._seen,
                gone=self._left,
                pace=self._pace,
            )
            self._watches[kind] = watch
            self._start(watch.run())
        return self._watches[kind]

    def _keep(self, document: JsonObject) -> JsonObject | None:
        """Keep what a trial owns, without what only the API server needs."""
        if not any(_is_trial(owner) for owner in listed(document, "metadata", "ownerReferences")):
            return None
        metadata = document["metadata"]
        if not isinstance(metadata, Mapping):
            return None
        slim = {key: part for key, part in metadata.items() if key != "managedFields"}
        return {**document, "metadata": slim}

    def _seen(self, ref: Ref) -> None:
        """The watch has told of a job: from here on it is right."""
        self._made.pop(ref, None)
        if self._watches[ref.of].get(ref.namespace, ref.name) is None:
            self._going.pop(ref, None)
        self._changed(_key(ref))

    def _left(self, ref: Ref, last: JsonObject | None) -> None:
        """A job is gone; one of a trial is remembered as it was last."""
        if last is not None:
            self._jobs.pop(uid_of(last), None)
            self._vanished[ref] = last

    def _marked(self, ref: Ref, document: JsonObject) -> JsonObject:
        """Show that we have deleted it, also where the watch does not know yet."""
        if self._going.get(ref, "") != uid_of(document):
            return document
        metadata = document["metadata"]
        told = (
            {**metadata, "deletionTimestamp": UNAVAILABLE_TIME}
            if isinstance(metadata, Mapping)
            else {}
        )
        return {**document, "metadata": told}

    async def _look_again(self, trial: Trial, ref: Ref) -> None:
        """A job of this name is there: ours, created before, or somebody else's."""
        try:
            found = await with_port_errors(self._cluster.get(ref))
        except AbsentError as error:
            raise Conflict(str(error)) from None
        if not _is_of(found, trial):
            raise RemoteError(f"there is another {ref}, which is not of this trial; delete it")
        self._made[ref] = found

    # -- why there is no pod ------------------------------------------------------------------

    def _start_watching_events(self) -> None:
        self._start(
            WatchCache(
                self._cluster,
                Scope(_EVENT, self._namespace),
                keep=self._note_refusal,
                pace=self._pace,
            ).run()
        )

    def _note_refusal(self, document: JsonObject) -> None:
        """Of all events only those count by which a job says that it gets no pod."""
        about, message = document.get("involvedObject"), document.get("message")
        if document.get("reason") in _REFUSED and isinstance(about, Mapping):
            uid = str(about.get("uid", ""))
            self._refusals[uid] = str(message)
            if uid in self._jobs:
                self._changed(self._jobs[uid])

    def _refused(self, ref: Ref, document: JsonObject) -> str:
        """Say why the job gets no pod; one that has any, or had, gets them."""
        status = document.get("status")
        counts = ("active", "ready", "succeeded", "failed")
        if self.pods.any_of(_key(ref)):
            return ""
        if isinstance(status, Mapping) and any(status.get(count) for count in counts):
            return ""
        return self._refusals.get(uid_of(document), "")


def _ref(trial: Trial) -> Ref:
    """Name a trial's job: of the kind of its run spec, and of the trial's own name."""
    spec = trial.spec.run_spec or {}
    return Ref(
        api_version=str(spec.get("apiVersion", "")),
        kind=str(spec.get("kind", "")),
        namespace=trial.metadata.namespace,
        name=trial.metadata.name,
    )


def _key(ref: Ref) -> Key:
    return Key(namespace=ref.namespace, name=ref.name)


def _is_trial(owner: Mapping[str, Json]) -> bool:
    return owner.get("apiVersion") == API_VERSION and owner.get("kind") == "Trial"


def _is_of(document: JsonObject, trial: Trial) -> bool:
    """Say whether a trial owns an object; one of the same name may be somebody else's."""
    owners = listed(document, "metadata", "ownerReferences")
    return any(_is_trial(owner) and owner.get("uid") == trial.metadata.uid for owner in owners)
