"""The state that the search for steps carries from line to line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """What earlier lines mean for later ones. A part of the checkpoint."""

    step: int | None = None
    """The step of a line without a counter of its own."""
    word: str = ""
    """The kind of counter that lines with metrics have; "" if none had one."""
    before: str = ""
    """The kind that progress lines have; "" if there was none."""
    misses: int = 0
    """Lines with metrics in a row that had no counter, up to `filters.steps.PATIENCE`."""
