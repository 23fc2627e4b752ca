"""The keys to reconcile, each once, however often it is added, and when each is due.

    add ──> waiting until its time ──> take ──> in work ──> done ──> forgotten, or waiting again

A key that is added while it is in work is due again afterwards. Times are seconds of the caller's
clock.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class ReconcileQueue(Generic[Key]):
    """Keys in the order in which they become due."""

    def __init__(self, at_once: int) -> None:
        """At most `at_once` keys are in work at a time."""
        self._at_once = at_once
        self._due: dict[Key, float] = {}
        self._order: list[tuple[float, int, Key]] = []
        self._numbers = itertools.count()
        self._in_work: dict[Key, float | None] = {}

    def add(self, key: Key, moment: float) -> None:
        """Make a key due at a time; an earlier due time stays."""
        if key in self._in_work:
            self._in_work[key] = _earlier(self._in_work[key], moment)
        elif key not in self._due or moment < self._due[key]:
            self._due[key] = moment
            heapq.heappush(self._order, (moment, next(self._numbers), key))

    def take(self, now: float) -> Key | None:
        """Take the key that has been due longest; None if none is due, or too many are in work."""
        due = self.next_moment()
        if due is None or due > now or self.is_full:
            return None
        key = heapq.heappop(self._order)[2]
        del self._due[key]
        self._in_work[key] = None
        return key

    def done(self, key: Key, again: float | None = None) -> None:
        """Finish a key; `again` is when it is due next, unless it was added for an earlier time."""
        moment = self._in_work.pop(key)
        if again is not None:
            moment = _earlier(moment, again)
        if moment is not None:
            self.add(key, moment)

    def next_moment(self) -> float | None:
        """Return when the next key is due; None if no key waits."""
        while self._order:
            moment, _, key = self._order[0]
            if self._due.get(key) == moment:
                return moment
            heapq.heappop(self._order)  # added again with an earlier time
        return None

    def depth(self, now: float) -> int:
        """Count the keys that are due and not in work."""
        return sum(1 for moment in self._due.values() if moment <= now)

    @property
    def in_work(self) -> int:
        """How many keys are in work."""
        return len(self._in_work)

    @property
    def is_full(self) -> bool:
        """Whether the maximum of keys is in work."""
        return len(self._in_work) >= self._at_once


def _earlier(one: float | None, other: float) -> float:
    return other if one is None else min(one, other)
