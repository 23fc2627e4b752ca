"""A worker in this process, for tests of the pool: each call takes as long as its request says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from suggestion.service.searches import Began, Job


def job(namespace: str, name: str, seconds: float = 1.0) -> Job:
    """Return a call that takes so many virtual seconds."""
    return Job(method="GetSuggestions", request=f"{name} {seconds}".encode(), namespace=namespace)


@dataclass(slots=True)
class Diary:
    """What the workers of one pool did, in order."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    most_running: dict[str, int] = field(default_factory=dict)
    """The most calls of each namespace at the same time."""
    running: list[str] = field(default_factory=list)


class ScriptedWorker:
    """`suggestion.workers.pool.Worker`."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._name = ""

    async def run(self, job: Job, began: Callable[[Began], None]) -> bytes:
        assert not self._name, "a worker has one call at a time"
        name, seconds = job.request.decode().split()
        diary, self._name = self._diary, name
        diary.begun.append(name)
        diary.running.append(job.namespace)
        now = diary.running.count(job.namespace)
        diary.most_running[job.namespace] = max(now, diary.most_running.get(job.namespace, 0))
        began(Began(experiment=name, algorithm="tpe", trials=7, points=2000))
        try:
            await asyncio.sleep(float(seconds))
        finally:
            diary.running.remove(job.namespace)
        diary.ended.append(name)
        self._name = ""
        return b"reply to " + name.encode()

    async def kill(self) -> None:
        if self._name:
            self._diary.killed.append(self._name)
        self._name = ""
