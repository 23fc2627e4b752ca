"""`controller.driver.ports.Jobs` over a cluster: jobs of any kind, and what their pods say.

A kind is watched as soon as a trial needs it. So a kind whose CRD is installed later needs no
restart of the controller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cachetools import LRUCache

from api.errors import RemoteError
from api.types import JsonObject, Trial
from controller.driver.ports import Conflict
from controller.on_kube.job_documents import has_had_pods, is_owned_by, job_ref, trial_key
from controller.on_kube.job_watches import JobWatch, JobWatches, Start
from controller.on_kube.job_writes import JobWrites
from controller.on_kube.pod_refusals import PodRefusals
from controller.on_kube.pods import ClusterPods
from controller.on_kube.read_your_writes_cache import (
    AbsentError,
    UnservedError,
    with_port_errors,
)
from controller.reconcile.jobs import JobOutcome, state_of_job
from controller.reconcile.trial_states import has_ended
from controller.reconcile.views import JobFacts, Key
from kube.cluster import Cluster, Kind, Propagation, Ref, uid_of, version_of
from kube.watch_cache import Pace

_MAX_DELETED = 1_000
"""Deleted jobs that are remembered, until the reconcile that each deletion causes."""


class ClusterJobs:
    """The jobs of trials, in one namespace or (if it is empty) in all."""

    def __init__(
        self,
        cluster: Cluster,
        changed: Callable[[Key], None],
        start: Start,
        namespace: str = "",
        pace: Pace | None = None,
    ) -> None:
        """Call `changed` for each trial whose job or pods have changed; `start` runs watches."""
        self._cluster, self._changed, self._start = cluster, changed, start
        self._watches = JobWatches(
            cluster,
            start,
            self._job_changed,
            self._job_deleted,
            namespace=namespace,
            pace=pace,
        )
        self._writes = JobWrites()
        self._deleted: LRUCache[Ref, JsonObject] = LRUCache(_MAX_DELETED)
        self._refusals = PodRefusals(cluster, changed, namespace, pace)
        self.pods = ClusterPods(cluster, changed, namespace, pace)

    def watch(self, kind: Kind) -> None:
        """Watch jobs of this kind from now on, before a trial needs it."""
        self._watch(kind)

    async def synced(self) -> None:
        """Wait until all pods, and all jobs of the kinds watched by now, are known."""
        await self._watches.synced()
        if self._watches:
            await self.pods.watch.synced()

    def trouble(self, trial: Trial) -> str:
        """Return why a trial's job cannot be watched; "" if it can, or could a moment ago."""
        return self._watches.trouble(job_ref(trial).of)

    # -- the port ---------------------------------------------------------------------------

    async def look(self, trial: Trial) -> JobFacts:
        """Return what is known about the trial's job and pods."""
        job = job_ref(trial)
        document = await self._document(job)
        is_over = has_ended(trial) and trial.status.completion_time is not None
        if is_over:
            self.pods.forget(trial_key(job))
        if document is None:
            return await self._deleted_facts(trial, job, is_over=is_over)
        self._refusals.track(uid_of(document), trial_key(job))
        shown = self._writes.with_deletion(job, document)
        if is_over:
            return JobFacts(document=shown)
        if state_of_job(trial, document).outcome is not JobOutcome.RUNNING:
            pods = await self.pods.final_facts(trial, version_of(document))
            return JobFacts(document=shown, pods=pods)
        pods = replace(self.pods.facts(trial), refused=self._refusal(job, document))
        return JobFacts(document=shown, pods=pods)

    async def create(self, trial: Trial, document: JsonObject) -> None:
        """Create the job; if one of its name exists, check that the trial owns it."""
        job = job_ref(trial)
        try:
            created = await with_port_errors(self._cluster.create(document))
        except Conflict:
            await self._check_existing(trial, job)
            return
        except AbsentError as error:
            raise Conflict(f"its namespace does not exist any more: {error}") from None
        self._deleted.pop(job, None)
        self._writes.note(job, created)

    async def delete(self, trial: Trial) -> None:
        """Start to delete the job, if the trial owns it; its pods are deleted first."""
        job = job_ref(trial)
        document = await self._document(job)
        if document is None or not is_owned_by(document, trial):
            return
        uid = uid_of(document)
        try:
            await with_port_errors(
                self._cluster.delete(job, uid=uid, propagation=Propagation.FOREGROUND)
            )
        except (AbsentError, UnservedError, Conflict):
            uid = ""
        self._writes.note_deleted(job, uid)

    # -- jobs -------------------------------------------------------------------------------

    async def _document(self, job: Ref) -> JsonObject | None:
        """Return a job from the watch, or as it was written here; read it before the first list."""
        watch = self._watch(job.of)
        if not watch.is_synced:
            return await self._read(job)
        watched, written = self._watches.get(job), self._writes.get(job)
        if written is None:
            return watched
        if not watch.is_past(version_of(written)):
            return written
        # It may have been deleted before the watch, or the list after it, ever had it.
        self._drop_write(job, deleted=watched is None)
        return watched

    async def _read(self, job: Ref) -> JsonObject | None:
        """Read a job from the API server, and remember it for the case that it is deleted."""
        try:
            self._writes.note(job, await with_port_errors(self._cluster.get(job)))
        except (AbsentError, UnservedError):
            self._drop_write(job, deleted=True)
        return self._writes.get(job)

    def _drop_write(self, job: Ref, *, deleted: bool) -> None:
        written = self._writes.drop(job)
        if deleted and written is not None:
            self._deleted[job] = written

    async def _deleted_facts(self, trial: Trial, job: Ref, *, is_over: bool) -> JobFacts:
        last = self._deleted.get(job)
        if last is None or is_over:
            return JobFacts(document=last, gone=last is not None)
        pods = await self.pods.final_facts(trial, version_of(last))
        return JobFacts(document=last, gone=True, pods=pods)

    async def _check_existing(self, trial: Trial, job: Ref) -> None:
        """Accept an existing job that the trial owns, because it was created before.

        Raises:
            RemoteError: another owner has a job of this name.
            Conflict: the job does not exist any more.
        """
        try:
            existing = await with_port_errors(self._cluster.get(job))
        except AbsentError as error:
            raise Conflict(str(error)) from None
        if not is_owned_by(existing, trial):
            raise RemoteError(f"{job} exists and does not belong to this trial; delete it")
        self._writes.note(job, existing)

    def _refusal(self, job: Ref, document: JsonObject) -> str:
        """Return why the job gets no pod; "" if it has a pod, or had one."""
        if self.pods.any_of(trial_key(job)) or has_had_pods(document):
            return ""
        return self._refusals.message(uid_of(document))

    # -- watches ----------------------------------------------------------------------------

    def _watch(self, kind: Kind) -> JobWatch:
        if not self._watches:
            self._start(self.pods.watch.run())
            self._start(self._refusals.watch.run())
        return self._watches.of(kind)

    def _job_changed(self, job: Ref) -> None:
        """Trust the watch from now on: it has a newer version of this job."""
        self._writes.drop(job)
        if self._watches.get(job) is None:
            self._writes.seen_deleted(job)
        self._changed(trial_key(job))

    def _job_deleted(self, job: Ref, last: JsonObject | None) -> None:
        """Remember the last version of a trial's job."""
        if last is not None:
            self._refusals.untrack(uid_of(last))
            self._deleted[job] = last
