"""One job: its pods one after the other, until one succeeds or there have been enough."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from api.documents import value_at
from api.errors import UserError
from api.names import COLLECTOR_CONTAINER
from api.types import JsonObject
from controller.reconcile.views import PodFacts
from runner.jobs.delivery import give_up, last_exit
from runner.jobs.forms import JobForm, pod_of, read_form
from runner.jobs.injection import Family, inject
from runner.jobs.outcomes import (
    BACKOFF,
    COMPLETED,
    DEADLINE,
    REFUSED,
    Outcome,
    Progress,
    cause_of,
    with_status,
)
from runner.jobs.recovery import (
    INTERRUPTED,
    JUDGED,
    Delivery,
    collector_of,
    judged,
    left_behind,
    run_dir_of,
)
from runner.pods.container import PAUSES, UNSTARTABLE, now
from runner.pods.containers import Spawner
from runner.pods.documents import Pod, RestartPolicy, read_pod
from runner.pods.launches import Folders, Machine
from runner.pods.life import Ending, PodLife
from runner.pods.statuses import Phase, PodStatus
from webhook.model.config import Config

LEAVING = 10.0
"""Seconds from SIGTERM to SIGKILL where the runner itself is to end."""
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What all jobs of a run share."""

    spawner: Spawner
    machine: Machine
    config: Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a job's pods have their folders, and where their logs are kept after them."""

    pods: Path
    logs: Path


class JobRun:
    """A job on this machine."""

    def __init__(
        self, family: Family, here: Here, place: Place, changed: Callable[[JsonObject], None]
    ) -> None:
        self.document = family.job
        self.facts = PodFacts()
        self._family, self._here, self._place, self._changed = family, here, place, changed
        self._progress = Progress(started=now(), failed=_failures(family.job))
        self._life: PodLife | None = None
        self._pod_folder = place.pods
        """Of the pod that runs, or ran last."""
        self._ending: Ending | None = None
        self._told = asyncio.Event()

    async def run(self) -> None:
        """Run it; then its document says how it ended, unless it was left or deleted."""
        try:
            form = read_form(self._family.job)
            self._note(bare=form.bare)
            deadline = asyncio.create_task(self._await_deadline(form))
            try:
                outcome = await self._pods(form)
            finally:
                deadline.cancel()
                await asyncio.gather(deadline, return_exceptions=True)
        except UserError as error:
            outcome = Outcome(reason=REFUSED, cause=str(error))
        if outcome is not None:
            self._note(outcome=outcome, ended=now())

    def delete(self) -> None:
        """End it: nobody wants its result."""
        grace = self._life.pod.grace if self._life is not None else 0
        self._end(Ending(reason="Deleted", message="the job was deleted", grace=grace))

    def leave(self) -> None:
        """End it with the runner, which will take it up again."""
        message = "the runner was ended"
        self._end(Ending(reason="Interrupted", message=message, grace=LEAVING, abandoned=True))

    def kill(self) -> None:
        """End it at once."""
        if self._life is not None:
            self._life.kill()

    def _end(self, ending: Ending) -> None:
        if self._ending is None:
            self._ending = ending
            self._told.set()
        if self._life is not None:
            self._life.end(ending)

    async def _pods(self, form: JobForm) -> Outcome | None:
        """Run pods; None where nobody asks for the outcome any more."""
        waits = PAUSES.waits()
        status = await self._left_behind(form)
        while self._ending is None:
            status = status or await self._pod(form)
            if self._here.spawner.lost:
                return None  # what became of the pod nobody knows: it will be taken up again
            if self._ending is None:
                outcome = self._judged(form, status)
                if outcome is not None:
                    return outcome
                await self._pause(next(waits))
                status = None
        if self._ending.reason != DEADLINE:
            return None
        return Outcome(reason=DEADLINE, cause=_cause_in_time(status))

    def _judged(self, form: JobForm, status: PodStatus) -> Outcome | None:
        """Say what a pod's end means for the job; None: that another pod is due."""
        if status.phase is Phase.SUCCEEDED:
            return Outcome(reason=COMPLETED)
        with contextlib.suppress(OSError):  # first this: to fail once more is better than twice
            (self._pod_folder / JUDGED).touch()
        self._note(failed=self._progress.failed + 1)
        ends = [one.ended for one in (*status.init_containers, *status.containers)]
        if any(end is not None and end.reason in UNSTARTABLE for end in ends):
            return Outcome(reason=REFUSED, cause=cause_of(status))
        if self._progress.failed > form.backoff_limit or status.reason == BACKOFF:
            return Outcome(reason=BACKOFF, cause=cause_of(status))
        return None

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError:
            return

    async def _pod(self, form: JobForm) -> PodStatus:
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(5))
        name = self._name if form.bare else f"{self._name}-{suffix}"
        pod = self._injected(form, name)
        folder = self._pod_folder = self._place.pods / name
        shutil.rmtree(folder, ignore_errors=True)  # a bare pod has one name
        folder.mkdir(parents=True)
        life = PodLife(
            pod,
            self._here.machine,
            self._folders(name),
            self._here.spawner,
            lambda status: self._watch(form, status),
        )
        life.on_abandon = lambda: _mark(folder)
        return await self._live(life)

    def _injected(self, form: JobForm, name: str) -> Pod:
        document = pod_of(form, self._family.job, name=name, uid=str(uuid.uuid4()))
        injected = inject(document, self._family, self._here.config)
        self.facts = PodFacts(injected=injected.collects)
        return read_pod(injected.pod)

    async def _live(self, life: PodLife) -> PodStatus:
        self._life = life
        if self._ending is not None:
            life.end(self._ending)
        try:
            return await life.run()
        finally:
            self._life = None

    async def _left_behind(self, form: JobForm) -> PodStatus | None:
        """Take up a pod of an earlier run, where its trainer had ended."""
        folder = left_behind(self._place.pods)
        if folder is None:
            return None
        self._pod_folder = folder
        pod = self._injected(form, folder.name)
        folders = self._folders(folder.name)
        life = Delivery(
            collector_of(pod), self._here.machine, folders, self._here.spawner, self._collected
        )
        status = await self._live(life)
        container = pod.containers[0].name
        return judged(folder, Path(folders.logs, f"{container}.log"), container, status)

    def _folders(self, name: str) -> Folders:
        folder = self._place.pods / name
        return Folders(
            volumes=str(folder / "volumes"),
            words=str(folder / "words"),
            staging=str(folder / "root"),
            logs=str(self._place.logs / name),
        )

    def _watch(self, form: JobForm, status: PodStatus) -> None:
        """Take in what a pod has become; end it where it was started often enough."""
        self._collected(status)
        self._note(pod=status)
        on_failure = self._life is not None and (
            self._life.pod.restart_policy is RestartPolicy.ON_FAILURE
        )
        limit = max(1, form.backoff_limit)
        if on_failure and not status.over and status.restarts >= limit and self._life is not None:
            message = "a container of it was started too often"
            self._life.end(Ending(reason=BACKOFF, message=message, grace=self._life.pod.grace))

    def _collected(self, status: PodStatus) -> None:
        for one in (*status.init_containers, *status.containers):
            if one.name == COLLECTOR_CONTAINER and one.ended is not None:
                end = one.ended
                failed = "" if end.status == 0 else f"it ended with status {end.status}"
                self.facts = replace(
                    self.facts, collector_failed=failed, termination_message=end.message
                )

    async def _await_deadline(self, form: JobForm) -> None:
        if form.deadline is None:
            return
        await asyncio.sleep(form.deadline)
        grace = self._life.pod.grace if self._life is not None else 0
        message = "Job was active longer than specified deadline"
        self._end(Ending(reason=DEADLINE, message=message, grace=grace))

    def _note(self, **changes: object) -> None:
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]  # its fields
        self.document = with_status(self._family.job, self._progress)
        self._changed(self.document)

    @property
    def _name(self) -> str:
        return self._family.trial.metadata.name


def _mark(folder: Path) -> None:
    """Note that a pod does not count, unless its trainer has ended by itself already."""
    if last_exit(run_dir_of(folder)) is None:
        (folder / INTERRUPTED).touch()
    give_up(run_dir_of(folder), "the runner was ended")


def _failures(document: JsonObject) -> int:
    failed = value_at(document, "status", "failed")
    return failed if isinstance(failed, int) else 0


def _cause_in_time(status: PodStatus | None) -> str:
    return cause_of(replace(status, message="")) if status is not None else ""
