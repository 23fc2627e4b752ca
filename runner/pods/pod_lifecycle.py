"""The lifecycle of one pod: the kubelet's work between the pod's arrival and its end.

    native sidecars and init containers, one after the other ──> containers, all at once
    ──> after the end of all containers: end the sidecars in reverse order

To end a pod early, all its containers get SIGTERM, and SIGKILL after the grace period. The sidecars
follow in the rest of the grace period.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from api.names import PUSH_SOCKET, RUN_VOLUME
from api.sidecar_flags import PUSH
from runner.pods.container_launch import Folders, Machine
from runner.pods.container_lifecycle import ContainerLifecycle, PodRuntime, now
from runner.pods.pod_spec import Container, EmptyDir, Pod, RestartPolicy
from runner.pods.spawner_client import SpawnerClient
from runner.pods.statuses import (
    Phase,
    PodStatus,
    Terminated,
    phase_of,
)

_LONGEST_AWAIT = 30.0
"""Seconds until the trainer starts although the collector does not listen."""
_LOOK_SECONDS = 0.01
_LEAST_GRACE = 2.0
"""Seconds for the sidecars if the containers used the whole grace period, as in the kubelet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """Why a pod is ended early."""

    reason: str
    message: str
    grace: float
    """Seconds from SIGTERM to SIGKILL."""
    abandoned: bool = False
    """Whether the pod's result is not needed: its sidecars are killed first."""


class PodLifecycle:
    """A pod on this machine."""

    def __init__(
        self,
        pod: Pod,
        machine: Machine,
        folders: Folders,
        spawner: SpawnerClient,
        changed: Callable[[PodStatus], None],
    ) -> None:
        self.pod, self.folders = pod, folders
        runtime = PodRuntime(pod=pod, machine=machine, folders=folders, spawner=spawner)
        self._changed = changed
        self.on_abandon: Callable[[], None] = _nothing
        """Called when the sidecars of an abandoned pod have ended, before its containers end."""
        self._inits = [
            ContainerLifecycle(one, _policy(one, pod), runtime, self.note)
            for one in pod.init_containers
        ]
        self._mains = [
            ContainerLifecycle(one, pod.restart_policy, runtime, self.note)
            for one in pod.containers
        ]
        self._ending: Termination | None = None
        self._ended = asyncio.Event()
        self.status = PodStatus(started=now())

    async def run(self) -> PodStatus:
        """Run the pod; return its final status."""
        self._make_folders()
        deadline = asyncio.create_task(self._await_deadline())
        terminating = asyncio.create_task(self._terminate())
        sidecars: list[tuple[ContainerLifecycle, asyncio.Task[Terminated]]] = []
        try:
            if await self._initialize(sidecars):
                await self.work()
        finally:
            await self._end_sidecars(sidecars)
            terminating.cancel()
            deadline.cancel()
            await asyncio.gather(terminating, deadline, return_exceptions=True)
        self._finish()
        return self.status

    async def work(self) -> None:
        """Run the containers to their end."""
        await asyncio.gather(*(one.live() for one in self._mains))

    def end(self, ending: Termination) -> None:
        """End the pod early; without effect if it has ended or is already ending."""
        if self._ending is None:
            self._ending = ending
            self._ended.set()

    def kill(self) -> None:
        """Kill the pod at once."""
        for one in (*self._inits, *self._mains):
            one.end_requested.set()
            one.signal(signal.SIGKILL)

    def note(self) -> None:
        """Update the pod's status after a change of a container."""
        containers = tuple(one.status for one in self._mains)
        begun = any(one.running_since or one.ended for one in containers)
        self.status = replace(
            self.status,
            phase=Phase.RUNNING if begun else Phase.PENDING,
            containers=containers,
            init_containers=tuple(one.status for one in self._inits),
        )
        self._changed(self.status)

    def _make_folders(self) -> None:
        for folder in (self.folders.logs, self.folders.termination_messages, self.folders.staging):
            Path(folder).mkdir(parents=True, exist_ok=True)
        for name, volume in self.pod.volumes.items():
            if isinstance(volume, EmptyDir):
                path = Path(self.folders.volumes, name)
                path.mkdir(parents=True, exist_ok=True)
                for container in (*self.pod.init_containers, *self.pod.containers):
                    for mount in container.mounts:
                        if mount.volume == name and mount.sub_path:
                            (path / mount.sub_path).mkdir(parents=True, exist_ok=True)

    async def _initialize(
        self, sidecars: list[tuple[ContainerLifecycle, asyncio.Task[Terminated]]]
    ) -> bool:
        """Start the sidecars and run the init containers; return whether all succeeded."""
        for one in self._inits:
            if one.spec.stays:
                task = asyncio.create_task(one.live())
                sidecars.append((one, task))
                await one.begun.wait()
                await self._until_it_listens(one, task)
                if task.done() and one.status.terminated:
                    return False
            elif (await one.live()).status != 0:
                return False
            if self._ending is not None:
                return False
        return True

    async def _until_it_listens(
        self, one: ContainerLifecycle, task: asyncio.Task[Terminated]
    ) -> None:
        """Do the work of the collector's postStart hook where metrics may be pushed to it."""
        if not any(word.startswith(f"{PUSH.name}=") for word in one.spec.args):
            return
        for _ in range(round(_LONGEST_AWAIT / _LOOK_SECONDS)):
            if task.done() or self._listens():
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _listens(self) -> bool:
        return Path(self.folders.volumes, RUN_VOLUME, PUSH_SOCKET).exists()

    async def _await_deadline(self) -> None:
        if self.pod.deadline is None:
            return
        await asyncio.sleep(self.pod.deadline)
        message = "Pod was active on the node longer than the specified deadline"
        self.end(Termination(reason="DeadlineExceeded", message=message, grace=self.pod.grace))

    async def _terminate(self) -> None:
        """Wait for `end`, then end the containers; `run` ends the sidecars."""
        await self._ended.wait()
        ending = self._ending
        if ending is None:
            return
        if ending.abandoned:
            await self._kill_sidecars()
            self.on_abandon()
        ordinary = [*self._mains, *(one for one in self._inits if not one.spec.stays)]
        for one in ordinary:
            one.end_requested.set()
            one.signal(signal.SIGTERM)
        await asyncio.sleep(ending.grace)
        for one in ordinary:
            one.signal(signal.SIGKILL)

    async def _kill_sidecars(self) -> None:
        for one in self._inits:
            if one.spec.stays and one.begun.is_set():
                one.end_requested.set()
                one.signal(signal.SIGKILL)
                await one.over.wait()

    async def _end_sidecars(
        self, sidecars: Sequence[tuple[ContainerLifecycle, asyncio.Task[Terminated]]]
    ) -> None:
        until = time.monotonic() + max(self.pod.grace, _LEAST_GRACE)
        for one, task in reversed(sidecars):
            one.end_requested.set()
            one.signal(signal.SIGTERM)
            left = max(_LEAST_GRACE, until - time.monotonic())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await asyncio.shield(task)
            one.signal(signal.SIGKILL)
            await task

    def _finish(self) -> None:
        self.note()
        inits = [one.status.terminated for one in self._inits if not one.spec.stays]
        phase = phase_of(inits, [one.status.terminated for one in self._mains])
        reason = message = ""
        if self._ending is not None:
            phase, reason, message = Phase.FAILED, self._ending.reason, self._ending.message
        self.status = replace(self.status, phase=phase, reason=reason, message=message)
        self._changed(self.status)


def _nothing() -> None:
    pass


def _policy(container: Container, pod: Pod) -> RestartPolicy:
    if container.stays:
        return RestartPolicy.ALWAYS
    never = pod.restart_policy is RestartPolicy.NEVER
    return RestartPolicy.NEVER if never else RestartPolicy.ON_FAILURE
