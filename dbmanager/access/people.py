"""Asks the API server what a person may do, and keeps its answers for a few seconds."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Final, Protocol

CACHE_SECONDS: Final = 10.0
_MOST_CACHED: Final = 1_000
_AT_ONCE: Final = 10
"""Questions to the API server at a time: wrong tokens cost nothing to make."""


class People(Protocol):
    """Answers for tokens that only the API server can check."""

    async def may_read(self, token: str, namespace: str) -> bool:
        """Return whether the owner of a token may `get trials` in a namespace.

        Raises:
            Unavailable: no answer in time.
        """


class CachedPeople:
    """Keeps each answer for `CACHE_SECONDS`; it knows tokens by their digests alone."""

    def __init__(self, people: People, clock: Callable[[], float] = time.monotonic) -> None:
        self._people, self._clock = people, clock
        self._answers: dict[tuple[bytes, str], tuple[float, bool]] = {}
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def may_read(self, token: str, namespace: str) -> bool:
        """Return whether the owner of a token may read the trials of a namespace."""
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest(), namespace
        known = self._known(key)
        if known is None:
            async with self._free:
                known = self._known(key)  # another call may have asked meanwhile
                if known is None:
                    known = await self._people.may_read(token, namespace)
                    self._keep(key, answer=known)
        return known

    def _known(self, key: tuple[bytes, str]) -> bool | None:
        at, answer = self._answers.get(key, (0.0, None))
        return answer if answer is not None and self._clock() - at < CACHE_SECONDS else None

    def _keep(self, key: tuple[bytes, str], *, answer: bool) -> None:
        self._answers.pop(key, None)
        while len(self._answers) >= _MOST_CACHED:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = self._clock(), answer
