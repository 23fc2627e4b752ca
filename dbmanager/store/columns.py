"""Many rows as three lists: a tuple for each row would cost more memory than its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from dbmanager.store.contract import NewRow


class Columns(Sequence[NewRow]):
    """New rows, column by column. As a sequence, it makes each row when a caller reads it."""

    __slots__ = ("metrics", "micros", "values")

    def __init__(
        self,
        micros: list[int] | None = None,
        metrics: list[str] | None = None,
        values: list[str] | None = None,
    ) -> None:
        """Take over three lists of equal length; the times are microseconds since 1970."""
        self.micros, self.metrics, self.values = micros or [], metrics or [], values or []

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

    def cut(self, size: int) -> Iterator[Columns]:
        """Yield the rows in pieces of at most `size` rows."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def __len__(self) -> int:
        return len(self.micros)

    def __iter__(self) -> Iterator[NewRow]:
        return map(NewRow, self.micros, self.metrics, self.values)

    @overload
    def __getitem__(self, index: int) -> NewRow: ...

    @overload
    def __getitem__(self, index: slice) -> Columns: ...

    def __getitem__(self, index: int | slice) -> NewRow | Columns:
        if isinstance(index, slice):
            return Columns(self.micros[index], self.metrics[index], self.values[index])
        return NewRow(self.micros[index], self.metrics[index], self.values[index])
