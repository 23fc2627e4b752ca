"""Many rows as four lists: a tuple for each row would cost more memory than its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from dbmanager.store.contract import NewRow


class Columns(Sequence[NewRow]):
    """New rows, column by column. As a sequence, it makes each row when a caller reads it."""

    __slots__ = ("metrics", "micros", "steps", "values")

    def __init__(
        self,
        micros: list[int] | None = None,
        metrics: list[str] | None = None,
        values: list[str] | None = None,
        steps: list[int | None] | None = None,
    ) -> None:
        """Take over lists of equal length; the times are microseconds since 1970.

        Without `steps`, no row has a step.
        """
        self.micros, self.metrics, self.values = micros or [], metrics or [], values or []
        self.steps: list[int | None] = steps or [None] * len(self.micros)

    @classmethod
    def of(cls, rows: Sequence[NewRow]) -> Columns:
        """Return the rows as columns; return `rows` itself if it is one."""
        if isinstance(rows, cls):
            return rows
        return cls(*map(list, zip(*rows, strict=True)))

    def extend(self, more: Columns) -> None:
        """Append rows."""
        self.micros += more.micros
        self.metrics += more.metrics
        self.values += more.values
        self.steps += more.steps

    def cut(self, size: int) -> Iterator[Columns]:
        """Yield the rows in pieces of at most `size` rows."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def __len__(self) -> int:
        return len(self.micros)

    def __iter__(self) -> Iterator[NewRow]:
        return map(NewRow, self.micros, self.metrics, self.values, self.steps)

    @overload
    def __getitem__(self, index: int) -> NewRow: ...

    @overload
    def __getitem__(self, index: slice) -> Columns: ...

    def __getitem__(self, index: int | slice) -> NewRow | Columns:
        if isinstance(index, slice):
            parts = self.micros[index], self.metrics[index], self.values[index]
            return Columns(*parts, self.steps[index])
        return NewRow(
            self.micros[index], self.metrics[index], self.values[index], self.steps[index]
        )
