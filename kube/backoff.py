"""How long to wait before the next try: longer each time, and not just as long as others do."""

from __future__ import annotations

from random import Random


class Backoff:
    """Waits that double from `first` to `longest` seconds, each shortened by chance to its half."""

    def __init__(self, random: Random, *, first: float = 0.25, longest: float = 30.0) -> None:
        self._random, self._first, self._longest = random, first, longest
        self._next = first

    def wait(self) -> float:
        """Return the seconds to wait now; the next time they will be twice as many."""
        seconds, self._next = self._next, min(self._next * 2, self._longest)
        return seconds * self._random.uniform(0.5, 1)

    def reset(self) -> None:
        """Begin anew: all went well for a while."""
        self._next = self._first
