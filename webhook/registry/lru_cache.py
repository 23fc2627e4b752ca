"""A bounded memory: the least recently used goes first, and what is old is told as old."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, each good until a moment."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, key: K, value: V, *, until: float = math.inf) -> None:
        """Remember a value, and forget another where there are too many."""
        self._kept[key] = (value, until)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get(self, key: K, now: float) -> V | None:
        """Return the value, where it is still good."""
        value, until = self._kept.get(key, (None, now))
        if value is None or now >= until:
            return None
        self._kept.move_to_end(key)
        return value

    def get_old(self, key: K) -> V | None:
        """Return the value, however old it is."""
        return self._kept.get(key, (None, 0.0))[0]
