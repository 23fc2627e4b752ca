"""One job: it runs one pod after the other, until one succeeds or the limit is reached."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from api.documents import value_at
from api.errors import UserError
from api.names import COLLECTOR_CONTAINER
from api.types import CollectorKind, JsonObject
from controller.reconcile.views import PodFacts
from runner.devices.leases import DeviceLeases
from runner.jobs.delivery import give_up, last_exit
from runner.jobs.elsewhere import elsewhere
from runner.jobs.failed_starts import FailedStarts
from runner.jobs.injection import TrialObjects, inject
from runner.jobs.job_spec import JobSpec, pod_of, read_job
from runner.jobs.job_status import (
    BACKOFF,
    COMPLETED,
    DEADLINE,
    REFUSED,
    JobEnd,
    JobProgress,
    brief_cause_of,
    cause_of,
    with_status,
)
from runner.jobs.recovery import (
    INTERRUPTED,
    JUDGED,
    Delivery,
    collector_of,
    left_behind,
    recovered_status,
    run_dir_of,
)
from runner.pods.container_launch import Folders, Machine
from runner.pods.container_lifecycle import PAUSES, UNSTARTABLE, now
from runner.pods.pod_lifecycle import PodLifecycle, Termination
from runner.pods.pod_spec import Pod, RestartPolicy, read_pod
from runner.pods.spawner_client import SpawnerClient
from runner.pods.statuses import Phase, PodStatus
from webhook.model.config import Config

LEAVING = 10.0
"""Seconds from SIGTERM to SIGKILL when the runner itself ends."""
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def _nothing(_text: str) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What all jobs of a run share: spawner, machine and settings."""

    spawner: SpawnerClient
    machine: Machine
    config: Config
    tell: Callable[[str], None] = _nothing
    """Shows the user a line about an event."""
    devices: DeviceLeases = field(default_factory=DeviceLeases)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFolders:
    """The folders of a job: for its pods, and for their logs, which stay after the job."""

    pods: Path
    logs: Path


class JobRun:
    """A job on this machine."""

    def __init__(
        self,
        objects: TrialObjects,
        context: RunContext,
        folders: JobFolders,
        changed: Callable[[JsonObject], None],
    ) -> None:
        self.document = objects.job
        self.facts = PodFacts()
        self._objects, self._context, self._job_folders = objects, context, folders
        self._changed = changed
        self._progress = JobProgress(started=now(), failed=_failures(objects.job))
        self._life: PodLifecycle | None = None
        self._pod_folder = folders.pods
        """The folder of the current pod, or of the last one."""
        self._restarts = 0
        """How often the containers of the current pod were restarted."""
        self.failures = FailedStarts(
            lambda text: context.tell(f"{self._name} {text}"), time.monotonic
        )
        self._pod_name = ""
        self._ending: Termination | None = None
        self._end_requested = asyncio.Event()

    async def run(self) -> None:
        """Run the job. Then `document` has its result, unless the job was left or deleted."""
        try:
            form = read_job(self._objects.job)
            self._note(bare=form.bare)
            deadline = asyncio.create_task(self._await_deadline(form))
            try:
                outcome = await self._pods(form)
            finally:
                deadline.cancel()
                await asyncio.gather(deadline, return_exceptions=True)
        except UserError as error:
            outcome = JobEnd(reason=REFUSED, cause=str(error))
        if outcome is not None:
            self._note(outcome=outcome, ended=now())

    @property
    def waits_for(self) -> str:
        """What the job's pod waits for, such as `waiting for a GPU`; "" if it does not wait."""
        return self._context.devices.waits_for(self._pod_name)

    def delete(self) -> None:
        """End the job; its result is not needed."""
        grace = self._life.pod.grace if self._life is not None else 0
        self._end(Termination(reason="Deleted", message="the job was deleted", grace=grace))

    def leave(self) -> None:
        """End the job because the runner ends; the next runner resumes it."""
        message = "the runner was ended"
        self._end(Termination(reason="Interrupted", message=message, grace=LEAVING, abandoned=True))

    def kill(self) -> None:
        """Kill the job at once."""
        if self._life is not None:
            self._life.kill()

    def _end(self, ending: Termination) -> None:
        if self._ending is None:
            self._ending = ending
            self._end_requested.set()
        if self._life is not None:
            self._life.end(ending)

    async def _pods(self, form: JobSpec) -> JobEnd | None:
        """Run pods; return None if the result is no longer needed."""
        waits = PAUSES.waits()
        status = await self._left_behind(form)
        while self._ending is None:
            status = status or await self._pod(form)
            await self._look_elsewhere()
            if self._context.spawner.lost:
                return None  # the pod's result is unknown: the next run resumes it
            if self._ending is None:
                outcome = self._judged(form, status)
                if outcome is not None:
                    return outcome
                pause = next(waits)
                self.failures.retry(self._progress.failed, form.backoff_limit, pause)
                await self._pause(pause)
                status = None
        if self._ending.reason != DEADLINE:
            return None
        return JobEnd(reason=DEADLINE, cause=_cause_in_time(status))

    def _judged(self, form: JobSpec, status: PodStatus) -> JobEnd | None:
        """Return the job's end after a pod's end; None if another pod must run."""
        if status.phase is Phase.SUCCEEDED:
            return JobEnd(reason=COMPLETED)
        with contextlib.suppress(OSError):  # first, so that no crash counts it twice
            (self._pod_folder / JUDGED).touch()
        self._note(failed=self._progress.failed + 1)
        self.failures.add(brief_cause_of(status))
        ends = [one.ended for one in (*status.init_containers, *status.containers)]
        if any(end is not None and end.reason in UNSTARTABLE for end in ends):
            return JobEnd(reason=REFUSED, cause=cause_of(status))
        if self._progress.failed > form.backoff_limit or status.reason == BACKOFF:
            return JobEnd(reason=BACKOFF, cause=cause_of(status))
        return None

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._end_requested.wait()
        except TimeoutError:
            return

    async def _pod(self, form: JobSpec) -> PodStatus:
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(5))
        name = self._pod_name = self._name if form.bare else f"{self._name}-{suffix}"
        devices = self._context.devices
        try:
            pod = await devices.acquire(self._injected(form, name), self._end_requested)
            if pod is None:
                return PodStatus(phase=Phase.FAILED, message="it was waiting for devices")
            return await self._run_pod(form, pod)
        finally:
            devices.release(name)

    async def _run_pod(self, form: JobSpec, pod: Pod) -> PodStatus:
        name = pod.name
        folder = self._pod_folder = self._job_folders.pods / name
        shutil.rmtree(folder, ignore_errors=True)  # a bare pod has one name
        folder.mkdir(parents=True)
        self._restarts = 0
        self.failures.begin()
        life = PodLifecycle(
            pod,
            self._context.machine,
            self._pod_folders(name),
            self._context.spawner,
            lambda status: self._watch(form, status),
        )
        life.on_abandon = lambda: _mark(folder)
        return await self._live(life)

    def _injected(self, form: JobSpec, name: str) -> Pod:
        document = pod_of(form, self._objects.job, name=name, uid=str(uuid.uuid4()))
        injected = inject(document, self._objects, self._context.config)
        self.facts = PodFacts(injected=injected.collects)
        return read_pod(injected.pod)

    async def _live(self, life: PodLifecycle) -> PodStatus:
        self._life = life
        if self._ending is not None:
            life.end(self._ending)
        try:
            return await life.run()
        finally:
            self._life = None

    async def _look_elsewhere(self) -> None:
        """Look for the objective in the trainer's output, if its metrics file does not have it."""
        spec = self._objects.trial.spec
        if spec.collector is None or spec.collector.kind is not CollectorKind.FILE:
            return
        folder = self._job_folders.logs / self._pod_folder.name
        log = str(folder / f"{spec.primary_container_name}.log")
        message = self.facts.termination_message
        found = await asyncio.to_thread(elsewhere, spec, message, log)
        self.facts = replace(self.facts, elsewhere=found)

    async def _left_behind(self, form: JobSpec) -> PodStatus | None:
        """Recover a pod of an earlier run whose trainer had ended."""
        folder = left_behind(self._job_folders.pods)
        if folder is None:
            return None
        self._pod_folder = folder
        pod = self._injected(form, folder.name)
        folders = self._pod_folders(folder.name)
        life = Delivery(
            collector_of(pod),
            self._context.machine,
            folders,
            self._context.spawner,
            self._collected,
        )
        status = await self._live(life)
        container = pod.containers[0].name
        return recovered_status(folder, Path(folders.logs, f"{container}.log"), container, status)

    def _pod_folders(self, name: str) -> Folders:
        folder = self._job_folders.pods / name
        return Folders(
            volumes=str(folder / "volumes"),
            termination_messages=str(folder / "words"),
            staging=str(folder / "root"),
            logs=str(self._job_folders.logs / name),
        )

    def _watch(self, form: JobSpec, status: PodStatus) -> None:
        """Process a pod's new status; end the pod if it was restarted too often."""
        self._collected(status)
        self._note(pod=status)
        on_failure = self._life is not None and (
            self._life.pod.restart_policy is RestartPolicy.ON_FAILURE
        )
        limit = max(1, form.backoff_limit)
        if status.restarts > self._restarts and not status.over:
            self._restarts = status.restarts
            self.failures.add(brief_cause_of(status))
            if status.restarts < limit:
                self.failures.retry(status.restarts, limit - 1, PAUSES.wait(status.restarts))
            self.failures.begin()
        if on_failure and not status.over and status.restarts >= limit and self._life is not None:
            message = "a container was started too often"
            self._life.end(Termination(reason=BACKOFF, message=message, grace=self._life.pod.grace))

    def _collected(self, status: PodStatus) -> None:
        for one in (*status.init_containers, *status.containers):
            if one.name == COLLECTOR_CONTAINER and one.ended is not None:
                end = one.ended
                failed = "" if end.status == 0 else f"it ended with status {end.status}"
                self.facts = replace(
                    self.facts, collector_failed=failed, termination_message=end.message
                )

    async def _await_deadline(self, form: JobSpec) -> None:
        if form.deadline is None:
            return
        await asyncio.sleep(form.deadline)
        grace = self._life.pod.grace if self._life is not None else 0
        message = "Job was active longer than specified deadline"
        self._end(Termination(reason=DEADLINE, message=message, grace=grace))

    def _note(self, **changes: object) -> None:
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]  # its fields
        self.document = with_status(self._objects.job, self._progress)
        self._changed(self.document)

    @property
    def _name(self) -> str:
        return self._objects.trial.metadata.name


def _mark(folder: Path) -> None:
    """Mark a pod as interrupted, unless its trainer has already ended by itself."""
    if last_exit(run_dir_of(folder)) is None:
        with contextlib.suppress(FileNotFoundError):  # the user has deleted the state directory
            (folder / INTERRUPTED).touch()
    give_up(run_dir_of(folder), "the runner was ended")


def _failures(document: JsonObject) -> int:
    failed = value_at(document, "status", "failed")
    return failed if isinstance(failed, int) else 0


def _cause_in_time(status: PodStatus | None) -> str:
    return cause_of(replace(status, message="")) if status is not None else ""
