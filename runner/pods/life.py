"""One pod's life: what the kubelet does between a pod's arrival and its end.

    native sidecars and init containers, one after the other ──> containers, all at once
    ──> when the last of these has ended for good: the sidecars, the last one first

A pod that is told to end gets SIGTERM in all its containers, and SIGKILL when its grace is over;
its sidecars come last, in the grace that is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.pods.container import ContainerLife, Home, now
from runner.pods.containers import Spawner
from runner.pods.documents import Container, EmptyDir, Pod, RestartPolicy
from runner.pods.launches import Folders, Machine
from runner.pods.statuses import (
    Phase,
    PodStatus,
    Terminated,
    phase_of,
)

_LEAST_GRACE = 2.0
"""Seconds that sidecars get when the containers have used up the grace, as with the kubelet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a pod is ended before its time."""

    reason: str
    message: str
    grace: float
    """Seconds from SIGTERM to SIGKILL."""
    abandoned: bool = False
    """Nobody wants to know what becomes of it: its sidecars are killed first."""


class PodLife:
    """A pod on this machine."""

    def __init__(
        self,
        pod: Pod,
        machine: Machine,
        folders: Folders,
        spawner: Spawner,
        changed: Callable[[PodStatus], None],
    ) -> None:
        self.pod, self.folders = pod, folders
        home = Home(pod=pod, machine=machine, folders=folders, spawner=spawner)
        self._changed = changed
        self.on_abandon: Callable[[], None] = _nothing
        """Called when an abandoned pod's sidecars are dead, and its containers not yet told."""
        self._inits = [
            ContainerLife(one, _policy(one, pod), home, self.note) for one in pod.init_containers
        ]
        self._mains = [
            ContainerLife(one, pod.restart_policy, home, self.note) for one in pod.containers
        ]
        self._ending: Ending | None = None
        self._ended = asyncio.Event()
        self.status = PodStatus(started=now())

    async def run(self) -> PodStatus:
        """Live it; return its last status."""
        self._make_folders()
        deadline = asyncio.create_task(self._await_deadline())
        terminating = asyncio.create_task(self._terminate())
        sidecars: list[tuple[ContainerLife, asyncio.Task[Terminated]]] = []
        try:
            if await self._initialize(sidecars):
                await self.work()
        finally:
            await self._end_sidecars(sidecars)
            terminating.cancel()
            deadline.cancel()
            await asyncio.gather(terminating, deadline, return_exceptions=True)
        self._judge()
        return self.status

    async def work(self) -> None:
        """Run the containers to their end."""
        await asyncio.gather(*(one.live() for one in self._mains))

    def end(self, ending: Ending) -> None:
        """End it before its time; harmless when it has ended, or was told before."""
        if self._ending is None:
            self._ending = ending
            self._ended.set()

    def kill(self) -> None:
        """End it at once."""
        for one in (*self._inits, *self._mains):
            one.told.set()
            one.signal(signal.SIGKILL)

    def note(self) -> None:
        """Take in what a container has become."""
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
        for folder in (self.folders.logs, self.folders.words, self.folders.staging):
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
        self, sidecars: list[tuple[ContainerLife, asyncio.Task[Terminated]]]
    ) -> bool:
        """Start the sidecars, run the init containers; say whether all is well."""
        for one in self._inits:
            if one.spec.stays:
                task = asyncio.create_task(one.live())
                sidecars.append((one, task))
                await one.begun.wait()
                if task.done() and one.status.terminated:
                    return False
            elif (await one.live()).status != 0:
                return False
            if self._ending is not None:
                return False
        return True

    async def _await_deadline(self) -> None:
        if self.pod.deadline is None:
            return
        await asyncio.sleep(self.pod.deadline)
        message = "Pod was active on the node longer than the specified deadline"
        self.end(Ending(reason="DeadlineExceeded", message=message, grace=self.pod.grace))

    async def _terminate(self) -> None:
        """Wait for the word, and end the containers; the sidecars follow in their turn."""
        await self._ended.wait()
        ending = self._ending
        if ending is None:
            return
        if ending.abandoned:
            await self._kill_sidecars()
            self.on_abandon()
        ordinary = [*self._mains, *(one for one in self._inits if not one.spec.stays)]
        for one in ordinary:
            one.told.set()
            one.signal(signal.SIGTERM)
        await asyncio.sleep(ending.grace)
        for one in ordinary:
            one.signal(signal.SIGKILL)

    async def _kill_sidecars(self) -> None:
        for one in self._inits:
            if one.spec.stays and one.begun.is_set():
                one.told.set()
                one.signal(signal.SIGKILL)
                await one.over.wait()

    async def _end_sidecars(
        self, sidecars: Sequence[tuple[ContainerLife, asyncio.Task[Terminated]]]
    ) -> None:
        until = time.monotonic() + max(self.pod.grace, _LEAST_GRACE)
        for one, task in reversed(sidecars):
            one.told.set()
            one.signal(signal.SIGTERM)
            left = max(_LEAST_GRACE, until - time.monotonic())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await asyncio.shield(task)
            one.signal(signal.SIGKILL)
            await task

    def _judge(self) -> None:
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
