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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from api.errors import UserError
from api.timestamps import from_micros
from runner.pods.containers import Exit, Running, Spawner
from runner.pods.documents import Container, EmptyDir, Pod, RestartPolicy
from runner.pods.launches import Folders, Machine, launch_of
from runner.pods.statuses import (
    WORDS,
    ContainerStatus,
    Phase,
    PodStatus,
    Terminated,
    phase_of,
)
from runner.pods.tails import make_empty, tail

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds before a container is started again, doubling. (Kubernetes: 10 s to 5 minutes.)"""
_SIDECAR_PAUSE = 0.1
_LEAST_GRACE = 2.0
"""Seconds that sidecars get when the containers have used up the grace, as with the kubelet."""
_LAST_LINES = 2048
_ids = count(1)


def now() -> str:
    """Return the moment as the kubelet writes it, to the second."""
    return from_micros(int(time.time()) * 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a pod is ended before its time."""

    reason: str
    message: str
    grace: float
    """Seconds from SIGTERM to SIGKILL."""
    abandoned: bool = False
    """Nobody wants to know what becomes of it: its sidecars are killed first."""


class _Container:
    """One container, through all its starts."""

    def __init__(self, life: PodLife, container: Container, policy: RestartPolicy) -> None:
        self.spec = container
        self.status = ContainerStatus(name=container.name, image=container.image)
        self._life = life
        self._policy = policy
        self._running: Running | None = None
        self.told = asyncio.Event()
        """It is to end, and not to be started again."""
        self.begun = asyncio.Event()
        """It was started once, or cannot be."""
        self.over = asyncio.Event()
        """It has ended for good."""

    async def live(self) -> Terminated:
        """Run it until it has ended for good."""
        try:
            return await self._live()
        finally:
            self.begun.set()
            self.over.set()

    async def _live(self) -> Terminated:
        waits = pauses(_SIDECAR_PAUSE if self.spec.stays else FIRST_PAUSE)
        while True:
            end = await self._once()
            self._note(self.status.over(end))
            if self._is_final(end):
                return end
            self._note(self.status.again())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.told.wait(), next(waits))
            if self.told.is_set():
                self._note(self.status.over(end))
                return end

    def _is_final(self, end: Terminated) -> bool:
        if self.told.is_set() or end.reason in UNSTARTABLE:
            return True
        match self._policy:
            case RestartPolicy.ALWAYS:
                return False
            case RestartPolicy.ON_FAILURE:
                return end.status == 0
            case RestartPolicy.NEVER:
                return True

    async def _once(self) -> Terminated:
        if self.told.is_set():
            return Terminated(status=137, reason="Killed", finished=now())
        name = f"{self._life.pod.name}/{self.spec.name}/{next(_ids)}"
        pod, machine, folders = self._life.pod, self._life.machine, self._life.folders
        try:
            launch = launch_of(self.spec, pod, machine, folders, name)
        except UserError as error:
            return _unstartable("CreateContainerError", str(error))
        if launch.collector:
            make_empty(f"{folders.words}/{self.spec.name}")
        self._running = self._life.spawner.start(launch)
        started = None
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(_done(self._running.started))
            if not self._running.started.cancelled():
                started = now()
                self._note(self.status.begun(started))
                self.begun.set()
        exit_ = await asyncio.shield(self._running.ended)
        self._running = None
        if exit_.refusal:
            reason = "ContainerCannotRun" if exit_.missing else "StartError"
            return _unstartable(reason, exit_.refusal)
        return _ended(exit_, started, self._words(exit_))

    def _words(self, exit_: Exit) -> str:
        """Return its last words, or the end of its log where it failed."""
        with contextlib.suppress(OSError):
            words = Path(self._life.folders.words, self.spec.name).read_bytes()[:WORDS]
            return words.decode(errors="replace")
        if exit_.status == 0:
            return ""
        return tail(f"{self._life.folders.logs}/{self.spec.name}.log", _LAST_LINES)

    def _note(self, status: ContainerStatus) -> None:
        self.status = status
        self._life.note()

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self._running is not None:
            self._running.signal(number)


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
        self.pod, self.machine, self.folders, self.spawner = pod, machine, folders, spawner
        self._changed = changed
        self.on_abandon: Callable[[], None] = _nothing
        """Called when an abandoned pod's sidecars are dead, and its containers not yet told."""
        self._inits = [_Container(self, one, _policy(one, pod)) for one in pod.init_containers]
        self._mains = [_Container(self, one, pod.restart_policy) for one in pod.containers]
        self._ending: Ending | None = None
        self._ended = asyncio.Event()
        self.status = PodStatus(started=now())

    async def run(self) -> PodStatus:
        """Live it; return its last status."""
        self._make_folders()
        deadline = self._await_deadline()
        terminating = asyncio.create_task(self._terminate())
        sidecars: list[tuple[_Container, asyncio.Task[Terminated]]] = []
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
        self, sidecars: list[tuple[_Container, asyncio.Task[Terminated]]]
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

    async def _await_deadline_passed(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.end(
            Ending(
                reason="DeadlineExceeded",
                message="Pod was active on the node longer than the specified deadline",
                grace=self.pod.grace,
            )
        )

    def _await_deadline(self) -> asyncio.Task[None]:
        seconds = float("inf") if self.pod.deadline is None else self.pod.deadline
        if seconds == float("inf"):
            return asyncio.create_task(asyncio.sleep(0))
        return asyncio.create_task(self._await_deadline_passed(seconds))

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
        self, sidecars: Sequence[tuple[_Container, asyncio.Task[Terminated]]]
    ) -> None:
        until = time.monotonic() + max(self.pod.grace, _LEAST_GRACE)
        for one, task in reversed(sidecars):
            one.told.set()
            one.signal(signal.SIGTERM)
            left = max(_LEAST_GRACE, until - time.monotonic())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), left)
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


UNSTARTABLE = {"CreateContainerError", "ContainerCannotRun", "StartError"}


def _policy(container: Container, pod: Pod) -> RestartPolicy:
    if container.stays:
        return RestartPolicy.ALWAYS
    never = pod.restart_policy is RestartPolicy.NEVER
    return RestartPolicy.NEVER if never else RestartPolicy.ON_FAILURE


def pauses(first: float) -> Iterator[float]:
    """Give the seconds between starts, doubling up to a limit."""
    pause = first
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


async def _done(future: asyncio.Future[int]) -> None:
    await asyncio.wait([future])


def _unstartable(reason: str, message: str) -> Terminated:
    return Terminated(status=128, reason=reason, message=message, finished=now())


def _ended(exit_: Exit, started: str | None, message: str) -> Terminated:
    return Terminated(
        status=exit_.status,
        signal=exit_.signal,
        reason="Completed" if exit_.status == 0 else "Error",
        message=message,
        started=started,
        finished=now(),
    )
