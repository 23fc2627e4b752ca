"""The logs of containers of a cluster in memory; the test writes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from api.types import JsonObject
from kube.cluster import ref_of
from kube.errors import Invalid


@dataclass(slots=True)
class _Run:
    """One run of a container."""

    text: bytes = b""
    ended: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake_readers(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class ContainerLogs:
    """The logs of all containers, by the pod's namespace and name."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str, str], list[_Run]] = {}
        self._hung_up = 0

    def start(self, pod: JsonObject, container: str) -> None:
        """Start a container, or start it again: its last log becomes the previous one."""
        self._runs.setdefault(_key(pod, container), []).append(_Run())

    def write(self, pod: JsonObject, container: str, text: bytes) -> None:
        """Append to the log of a started container."""
        run = self._runs[_key(pod, container)][-1]
        run.text += text
        run.wake_readers()

    def end(self, pod: JsonObject, container: str) -> None:
        """End a container: its followers reach the end of the log."""
        run = self._runs[_key(pod, container)][-1]
        run.ended = True
        run.wake_readers()

    def hang_up(self) -> None:
        """End all followers, as an API server does when it ends."""
        self._hung_up += 1
        for runs in self._runs.values():
            runs[-1].wake_readers()

    async def read(
        self, pod: JsonObject, container: str, *, follow: bool, previous: bool
    ) -> AsyncGenerator[bytes, None]:
        """Read a log, as `kube.cluster.PodLogs` says.

        Raises:
            Invalid: the container does not exist, has no previous run, or has not started.
        """
        run = self._run(pod, container, previous=previous)
        seen, hung_up = 0, self._hung_up
        while hung_up == self._hung_up:
            changed, ended = run.changed, run.ended
            if len(run.text) > seen:
                piece = run.text[seen:]
                seen += len(piece)
                yield piece
            if ended or not follow:
                return
            if changed is run.changed:
                await changed.wait()

    def _run(self, pod: JsonObject, container: str, *, previous: bool) -> _Run:
        name = ref_of(pod).name
        known = _containers(pod)
        if not container and len(known) != 1:
            choice = " ".join(known)
            raise Invalid(
                f"a container name must be specified for pod {name}, choose one of: [{choice}]"
            )
        wanted = container or known[0]
        if wanted not in known:
            raise Invalid(f"container {wanted} is not valid for pod {name}")
        runs = self._runs.get(_key(pod, wanted), [])
        if previous and len(runs) > 1:
            return runs[-2]
        if previous:
            raise Invalid(f'previous terminated container "{wanted}" in pod "{name}" not found')
        if not runs:
            raise Invalid(f'container "{wanted}" in pod "{name}" is waiting to start')
        return runs[-1]


def _key(pod: JsonObject, container: str) -> tuple[str, str, str]:
    ref = ref_of(pod)
    return ref.namespace, ref.name, container


def _containers(pod: JsonObject) -> list[str]:
    spec: Any = pod.get("spec") or {}
    return [
        str(container.get("name"))
        for part in ("initContainers", "containers")
        for container in spec.get(part) or ()
    ]
