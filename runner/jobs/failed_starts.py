"""The failed starts of one job: lines for the user, and whether they all failed for one cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from api.faults import without_numbers

AT_ONCE: Final = 10.0
"""Seconds; a start that failed within them has not begun to train."""


class FailedStarts:
    """Records each failed start of a job, and tells the user that another one follows."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float]) -> None:
        """`clock` returns seconds; it starts with the job's first start."""
        self._tell, self._clock = tell, clock
        self._since = clock()
        self._causes: list[str] = []
        self._all_at_once = True

    @property
    def number(self) -> int:
        """How many starts have failed."""
        return len(self._causes)

    @property
    def common_cause(self) -> str:
        """Why all starts until now have failed at once; "" if none has, or not for one cause."""
        forms = {without_numbers(cause) for cause in self._causes}
        return self._causes[0] if len(forms) == 1 and self._all_at_once else ""

    def add(self, cause: str) -> None:
        """Record the end of a start."""
        self._causes.append(cause)
        self._all_at_once &= self._clock() - self._since <= AT_ONCE

    def begin(self) -> None:
        """Record that a start begins."""
        self._since = self._clock()

    def retry(self, number: int, most: int, pause: float) -> None:
        """Tell that the last start is retried after a pause, in seconds."""
        self._tell(f"retry {number} of {most} in {pause:g} s: {self._causes[-1]}")
