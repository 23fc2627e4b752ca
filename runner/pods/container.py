"""One container's life in its pod: started, started again as its policy has it, ended."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from api.backoff import Backoff
from api.errors import UserError
from api.timestamps import from_micros
from runner.pods.containers import Exit, Running, Spawner
from runner.pods.documents import Container, Pod, RestartPolicy
from runner.pods.launches import Folders, Machine, launch_of
from runner.pods.statuses import WORDS, ContainerStatus, Terminated
from runner.pods.tails import make_empty, tail

PAUSES = Backoff(first=0.5, longest=15.0)
"""Before a container, or a job's next pod, is started. (Kubernetes: 10 s to 5 or 6 minutes.)"""
_SIDECAR_PAUSES = replace(PAUSES, first=0.1)
_LAST_LINES = 2048
_ids = count(1)

UNSTARTABLE = {"CreateContainerError", "ContainerCannotRun", "StartError"}
"""Reasons for which another try would end the same."""


def now() -> str:
    """Return the moment as the kubelet writes it, to the second."""
    return from_micros(int(time.time()) * 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What all containers of a pod share."""

    pod: Pod
    machine: Machine
    folders: Folders
    spawner: Spawner


class ContainerLife:
    """One container, through all its starts."""

    def __init__(
        self,
        container: Container,
        policy: RestartPolicy,
        home: Home,
        changed: Callable[[], None],
    ) -> None:
        """Tell `changed` of each new status."""
        self.spec = container
        self.status = ContainerStatus(name=container.name, image=container.image)
        self._home, self._changed = home, changed
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
        waits = (_SIDECAR_PAUSES if self.spec.stays else PAUSES).waits()
        while True:
            end = await self._once()
            self._note(self.status.over(end))
            if self._is_final(end):
                return end
            self._note(self.status.again())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(next(waits)):
                    await self.told.wait()
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
        name = f"{self._home.pod.name}/{self.spec.name}/{next(_ids)}"
        pod, machine, folders = self._home.pod, self._home.machine, self._home.folders
        try:
            launch = launch_of(self.spec, pod, machine, folders, name)
        except UserError as error:
            return _unstartable("CreateContainerError", str(error))
        if launch.collector:
            make_empty(f"{folders.words}/{self.spec.name}")
        self._running = self._home.spawner.start(launch)
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
            words = Path(self._home.folders.words, self.spec.name).read_bytes()[:WORDS]
            return words.decode(errors="replace")
        if exit_.status == 0:
            return ""
        return tail(f"{self._home.folders.logs}/{self.spec.name}.log", _LAST_LINES)

    def _note(self, status: ContainerStatus) -> None:
        self.status = status
        self._changed()

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self._running is not None:
            self._running.signal(number)


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
