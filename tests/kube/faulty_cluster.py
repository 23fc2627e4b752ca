"""A cluster whose network and whose watches fail by chance; the seed says how."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Any

from api.errors import Unavailable
from kube.cluster import Change, Listing, Scope
from kube.errors import Gone
from kube.testing.memory import MemoryCluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How likely each is, at each call or change."""

    refuse: float = 0.1
    """Neither list nor watch is answered."""
    cut: float = 0.1
    """The connection breaks."""
    end: float = 0.05
    """The watch ends in order."""
    repeat: float = 0.1
    """A change comes twice."""
    old: float = 0.1
    """A change of before comes again."""
    miss: float = 0.0
    """A change never comes."""
    forget: float = 0.05
    """The server forgets what happened so far."""
    stall: float = 0.1
    """The server takes its time."""


class FaultyCluster:
    """The two calls that a cache makes, with faults."""

    def __init__(self, cluster: MemoryCluster, random: Random, faults: Faults) -> None:
        self.cluster, self.random, self.faults = cluster, random, faults
        self._before: list[Change] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all other calls go through
        return getattr(self.cluster, name)

    def _strikes(self, likely: float) -> bool:
        return self.random.random() < likely

    async def _arrive(self) -> None:
        while self._strikes(self.faults.stall):  # noqa: ASYNC110 - it waits for nothing
            await asyncio.sleep(0)
        if self._strikes(self.faults.forget):
            self.cluster.forget()
        if self._strikes(self.faults.refuse):
            raise Unavailable("the network is down")

    async def pages(self, scope: Scope) -> AsyncGenerator[Listing, None]:
        """Cut the list into pages, and now and then forget the rest."""
        await self._arrive()
        whole = await self.cluster.list(scope)
        items = list(whole.items)
        while len(items) > 2:
            yield Listing(items=tuple(items[:2]), version=whole.version)
            del items[:2]
            await self._arrive()
            if self._strikes(self.faults.forget):
                raise Gone("the rest of the list")
        yield Listing(items=tuple(items), version=whole.version)

    async def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        await self._arrive()
        changes = self.cluster.watch(scope, since=since)
        async with aclosing(changes):
            async for change in changes:
                if self._strikes(self.faults.cut):
                    raise Unavailable("the connection broke")
                if self._strikes(self.faults.end):
                    return
                for received in self._received(change):
                    yield received
                await self._arrive()

    def _received(self, change: Change) -> list[Change]:
        received = [] if self._strikes(self.faults.miss) else [change]
        if self._strikes(self.faults.repeat):
            received *= 2
        if self._before and self._strikes(self.faults.old):
            received.append(self.random.choice(self._before))
        self._before = [*self._before[-20:], change]
        return received
