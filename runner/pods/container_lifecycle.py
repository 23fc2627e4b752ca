"""The lifecycle of one container in its pod: start, restarts by its policy, end."""

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
from api.names import TERMINATION_LOG_BYTES
from api.timestamps import from_micros
from runner.pods.container_launch import Folders, Machine, container_launch
from runner.pods.log_tail import make_empty, tail
from runner.pods.pod_spec import Container, Pod, RestartPolicy
from runner.pods.spawner_client import Exit, Running, SpawnerClient
from runner.pods.statuses import ContainerStatus, Terminated

PAUSES = Backoff(first=0.2, longest=3.0)
"""Pauses before a restart of a container, or a job's next pod (Kubernetes: 10 s to 6 minutes)."""
_SIDECAR_PAUSES = replace(PAUSES, first=0.1)
_LAST_LINES = 2048
_ids = count(1)

UNSTARTABLE = {"CreateContainerError", "ContainerCannotRun", "StartError"}
"""Reasons after which a restart is useless."""


def now() -> str:
    """Return the present time as the kubelet writes it, in whole seconds."""
    return from_micros(int(time.time()) * 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRuntime:
    """What all containers of a pod share: its folders, machine and spawner."""

    pod: Pod
    machine: Machine
    folders: Folders
    spawner: SpawnerClient


class ContainerLifecycle:
    """One container and all its starts."""

    def __init__(
        self,
        container: Container,
        policy: RestartPolicy,
        runtime: PodRuntime,
        changed: Callable[[], None],
    ) -> None:
        """Call `changed` after each change of `status`."""
        self.spec = container
        self.status = ContainerStatus(name=container.name, image=container.image)
        self._runtime, self._changed = runtime, changed
        self._policy = policy
        self._running: Running | None = None
        self.end_requested = asyncio.Event()
        """Set if the container must end and not restart."""
        self.begun = asyncio.Event()
        """Set if the container has started once, or cannot start."""
        self.over = asyncio.Event()
        """Set if the container has ended and does not restart."""

    async def live(self) -> Terminated:
        """Run the container until it has ended and does not restart."""
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
                    await self.end_requested.wait()
            if self.end_requested.is_set():
                self._note(self.status.over(end))
                return end

    def _is_final(self, end: Terminated) -> bool:
        if self.end_requested.is_set() or end.reason in UNSTARTABLE:
            return True
        match self._policy:
            case RestartPolicy.ALWAYS:
                return False
            case RestartPolicy.ON_FAILURE:
                return end.status == 0
            case RestartPolicy.NEVER:
                return True

    async def _once(self) -> Terminated:
        if self.end_requested.is_set():
            return Terminated(status=137, reason="Killed", finished=now())
        name = f"{self._runtime.pod.name}/{self.spec.name}/{next(_ids)}"
        pod, machine, folders = self._runtime.pod, self._runtime.machine, self._runtime.folders
        try:
            launch = container_launch(self.spec, pod, machine, folders, name)
        except UserError as error:
            return _unstartable("CreateContainerError", str(error))
        if launch.collector:
            make_empty(f"{folders.termination_messages}/{self.spec.name}")
        self._running = self._runtime.spawner.start(launch)
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
        return _ended(exit_, started, self._message(exit_))

    def _message(self, exit_: Exit) -> str:
        """Return the termination message, or the end of the log if the container failed."""
        with contextlib.suppress(OSError):
            message = Path(self._runtime.folders.termination_messages, self.spec.name).read_bytes()[
                :TERMINATION_LOG_BYTES
            ]
            return message.decode(errors="replace")
        if exit_.status == 0:
            return ""
        return tail(f"{self._runtime.folders.logs}/{self.spec.name}.log", _LAST_LINES)

    def _note(self, status: ContainerStatus) -> None:
        self.status = status
        self._changed()

    def signal(self, number: int) -> None:
        """Send a signal to the container if it runs."""
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
