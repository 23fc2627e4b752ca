"""The values of each metric of each run, for training code that asks for them again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from collector.mlflow.exchange import LoggedPoint

MOST_VALUES: Final = 10_000
"""Values in all; they are in memory only, some 250 bytes each."""


class MetricHistory:
    """Remembers values until they are too many; then it forgets the metric that began first."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], dict[LoggedPoint, None]] = {}
        self._count = 0

    def add(self, run_id: str, known: Iterable[str], points: Iterable[LoggedPoint]) -> None:
        """Add points of a run; `known` are its metrics before, whose values may be forgotten."""
        before = frozenset(known)
        for point in points:
            key = (run_id, point.name)
            if key not in self._values and point.name in before:
                continue
            values = self._values.setdefault(key, {})
            if point not in values:
                values[point] = None
                self._count += 1
        self._forget()

    def of(self, run_id: str, name: str) -> tuple[LoggedPoint, ...] | None:
        """Return all values of a metric in their order; None if they are not all known."""
        values = self._values.get((run_id, name))
        return None if values is None else tuple(values)

    def _forget(self) -> None:
        while self._count > MOST_VALUES:
            self._count -= len(self._values.pop(next(iter(self._values))))
