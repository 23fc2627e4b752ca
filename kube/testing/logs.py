"""What containers print, where the cluster is in memory: somebody has to write it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from api.types import JsonObject
from kube.cluster import ref_of
from kube.errors import Invalid


@dataclass(slots=True)
class _Life:
    """A container between a start and its end."""

    text: bytes = b""
    over: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


class Printed:
    """The logs of all containers, by the pod's namespace and name."""

    def __init__(self) -> None:
        self._lives: dict[tuple[str, str, str], list[_Life]] = {}
        self._hung_up = 0

    def start(self, pod: JsonObject, container: str) -> None:
        """Start a container, or start it again: what it printed before is its previous log."""
        self._lives.setdefault(_key(pod, container), []).append(_Life())

    def write(self, pod: JsonObject, container: str, text: bytes) -> None:
        """Let a container that was started print something."""
        life = self._lives[_key(pod, container)][-1]
        life.text += text
        life.tell()

    def end(self, pod: JsonObject, container: str) -> None:
        """End a container: it prints nothing more, and who follows it is at the end."""
        life = self._lives[_key(pod, container)][-1]
        life.over = True
        life.tell()

    def hang_up(self) -> None:
        """Let go of all who follow, as an API server does when it ends."""
        self._hung_up += 1
        for lives in self._lives.values():
            lives[-1].tell()

    async def read(
        self, pod: JsonObject, container: str, *, follow: bool, previous: bool
    ) -> AsyncGenerator[bytes, None]:
        """Give a log, as `kube.cluster.PodLogs` has it.

        Raises:
            Invalid: there is no such container, none before this one, or it has not begun.
        """
        life = self._life(pod, container, previous=previous)
        seen, hung_up = 0, self._hung_up
        while hung_up == self._hung_up:
            news, over = life.news, life.over
            if len(life.text) > seen:
                piece = life.text[seen:]
                seen += len(piece)
                yield piece
            if over or not follow:
                return
            if news is life.news:
                await news.wait()

    def _life(self, pod: JsonObject, container: str, *, previous: bool) -> _Life:
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
        lives = self._lives.get(_key(pod, wanted), [])
        if previous and len(lives) > 1:
            return lives[-2]
        if previous:
            raise Invalid(f'previous terminated container "{wanted}" in pod "{name}" not found')
        if not lives:
            raise Invalid(f'container "{wanted}" in pod "{name}" is waiting to start')
        return lives[-1]


def _key(pod: JsonObject, container: str) -> tuple[str, str, str]:
    ref = ref_of(pod)
    return ref.namespace, ref.name, container


def _containers(pod: JsonObject) -> list[str]:
    spec: Any = pod.get("spec") or {}
    return [
        str(one.get("name"))
        for part in ("initContainers", "containers")
        for one in spec.get(part) or ()
    ]
