"""The pods of one job, one after the other: each with its devices, its folder and its facts."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from api.names import COLLECTOR_CONTAINER
from api.types import CollectorKind
from controller.reconcile.views import PodFacts
from runner.jobs.delivery import give_up, last_exit
from runner.jobs.elsewhere import elsewhere
from runner.jobs.injection import TrialObjects, inject
from runner.jobs.job_spec import JobSpec, pod_of
from runner.jobs.recovery import (
    INTERRUPTED,
    JUDGED,
    Delivery,
    collector_of,
    left_behind,
    recovered_status,
    run_dir_of,
)
from runner.jobs.run_context import JobFolders, RunContext
from runner.pods.free_port import free_port
from runner.pods.pod_lifecycle import PodLifecycle, Termination
from runner.pods.pod_spec import Pod, read_pod
from runner.pods.statuses import Phase, PodStatus

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


class JobPods:
    """Makes and runs the pods of a job; one pod at a time is alive."""

    def __init__(
        self,
        objects: TrialObjects,
        context: RunContext,
        folders: JobFolders,
        begun: Callable[[], None],
    ) -> None:
        """Make it; `begun` is called when a pod that trains is about to start."""
        self.facts = PodFacts()
        """Of the current pod, or of the last one."""
        self.ending: Termination | None = None
        """How the job ends, if it was told to; then no further pod may start."""
        self._objects, self._context, self._folders = objects, context, folders
        self._begun = begun
        self._life: PodLifecycle | None = None
        self._folder = folders.pods
        """The folder of the current pod, or of the last one."""
        self._name = ""
        self._end_requested = asyncio.Event()

    @property
    def waits_for(self) -> str:
        """What the pod waits for, such as `waiting for a GPU`; "" if it does not wait."""
        return self._context.devices.waits_for(self._name)

    @property
    def alive(self) -> Pod | None:
        """The pod that runs; None if none does."""
        return self._life.pod if self._life is not None else None

    def end(self, ending: Termination) -> None:
        """End the pod, and start no other one; the first call decides how the job ends."""
        if self.ending is None:
            self.ending = ending
            self._end_requested.set()
        self.end_pod(ending)

    def end_pod(self, ending: Termination) -> None:
        """End the pod that runs, if there is one."""
        if self._life is not None:
            self._life.end(ending)

    def kill(self) -> None:
        """Kill the pod at once."""
        if self._life is not None:
            self._life.kill()

    async def pause(self, seconds: float) -> None:
        """Wait; return at once when the job ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._end_requested.wait()

    async def run(self, form: JobSpec, changed: Callable[[PodStatus], None]) -> PodStatus:
        """Make a pod, and run it when its devices are free; return how it ended.

        Args:
            form: of the job.
            changed: called with each new status of the pod.

        Raises:
            UserError: the webhook refuses the pod, or it cannot run on this machine.
        """
        trial = self._objects.trial.metadata.name
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(5))
        name = self._name = trial if form.bare else f"{trial}-{suffix}"
        devices = self._context.devices
        try:
            pod = await devices.acquire(self._injected(form, name), self._end_requested)
            if pod is None:
                return PodStatus(phase=Phase.FAILED, message="it was waiting for devices")
            return await self._run(pod, changed)
        finally:
            devices.release(name)

    async def recover(self, form: JobSpec) -> PodStatus | None:
        """Recover a pod of an earlier run whose trainer had ended; None if there is none."""
        folder = left_behind(self._folders.pods)
        if folder is None:
            return None
        self._folder = folder
        pod = self._injected(form, folder.name)
        folders = self._folders.of_pod(folder.name)
        context = self._context
        life = Delivery(
            collector_of(pod), context.machine, folders, context.spawner, self._note_collector
        )
        status = await self._live(life)
        container = pod.containers[0].name
        return recovered_status(folder, Path(folders.logs, f"{container}.log"), container, status)

    async def look_elsewhere(self) -> None:
        """Look for the objective in the trainer's output, if its metrics file does not have it."""
        spec = self._objects.trial.spec
        if spec.collector is None or spec.collector.kind is not CollectorKind.FILE:
            return
        folder = self._folders.logs / self._folder.name
        log = str(folder / f"{spec.primary_container_name}.log")
        message = self.facts.termination_message
        found = await asyncio.to_thread(elsewhere, spec, message, log)
        self.facts = replace(self.facts, elsewhere=found)

    def mark_judged(self) -> None:
        """Mark the last pod: its failure is counted."""
        with contextlib.suppress(OSError):
            (self._folder / JUDGED).touch()

    async def _run(self, pod: Pod, changed: Callable[[PodStatus], None]) -> PodStatus:
        def note(status: PodStatus) -> None:
            self._note_collector(status)
            changed(status)

        folder = self._folder = self._folders.pods / pod.name
        shutil.rmtree(folder, ignore_errors=True)  # a bare pod has one name
        folder.mkdir(parents=True)
        self._begun()
        life = PodLifecycle(
            pod,
            self._context.machine,
            self._folders.of_pod(pod.name),
            self._context.spawner,
            note,
        )
        life.on_abandon = lambda: _mark_interrupted(folder)
        return await self._live(life)

    async def _live(self, life: PodLifecycle) -> PodStatus:
        self._life = life
        if self.ending is not None:
            life.end(self.ending)
        try:
            return await life.run()
        finally:
            self._life = None

    def _injected(self, form: JobSpec, name: str) -> Pod:
        document = pod_of(form, self._objects.job, name=name, uid=str(uuid.uuid4()))
        # Pods have an address of their own in a cluster; here they share the one of the machine.
        config = replace(self._context.config, push_port=free_port())
        injected = inject(document, self._objects, config, self._context.checkpoints)
        self.facts = PodFacts(injected=injected.collects)
        return read_pod(injected.pod)

    def _note_collector(self, status: PodStatus) -> None:
        """Remember how the collector has ended, if it has."""
        for one in (*status.init_containers, *status.containers):
            if one.name == COLLECTOR_CONTAINER and one.ended is not None:
                end = one.ended
                failed = "" if end.status == 0 else f"it ended with status {end.status}"
                self.facts = replace(
                    self.facts, collector_failed=failed, termination_message=end.message
                )


def _mark_interrupted(folder: Path) -> None:
    """Mark a pod as interrupted, unless its trainer has already ended by itself."""
    if last_exit(run_dir_of(folder)) is None:
        with contextlib.suppress(FileNotFoundError):  # the user has deleted the state directory
            (folder / INTERRUPTED).touch()
    give_up(run_dir_of(folder), "the runner was ended")
