"""How long to wait before the next try: longer after each failure, up to a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

_MOST_DOUBLINGS: Final = 1000
"""More doublings than any limit allows; the result is still a finite float."""


def _certain() -> float:
    return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double from `first` to `longest`, both in seconds.

    `spread` is the random share of each wait. Clients that fail at the same time then do not all
    try again at the same time:

    | spread | the n-th wait, with full = min(first * 2 ** (n - 1), longest) |
    |--------|---------------------------------------------------------------|
    | 0      | full                                                          |
    | 0.5    | between full / 2 and full                                     |
    | 1      | between 0 and full                                            |
    """

    first: float
    longest: float
    spread: float = 0.0

    def wait(self, failures: int, chance: float = 1.0) -> float:
        """Return the seconds to wait after so many failures in a row (1 or more).

        `chance` is a random number from 0 (the shortest wait) to 1; the caller draws it.
        """
        doublings = min(failures - 1, _MOST_DOUBLINGS)
        full = min(self.first * 2.0**doublings, self.longest)
        return full * (1.0 - self.spread + self.spread * chance)

    def waits(self, random: Callable[[], float] = _certain) -> Iterator[float]:
        """Yield the seconds to wait after the first failure, after the second, and so on.

        `random` returns a number from 0 to 1; it is called once for each wait.
        """
        return (self.wait(failures, random()) for failures in count(1))
