"""Segments on a disk that fails, as the test says."""

from __future__ import annotations

from collections.abc import Callable

from collector.journal.segment_files import SegmentFile, SegmentFiles

Happen = Callable[[str], None]
"""Called with the name of an operation before it is done; it may raise."""


class FaultySegments:
    """`SegmentFiles` whose operations fail where `happen` raises."""

    def __init__(self, inner: SegmentFiles, happen: Happen) -> None:
        self._inner, self._happen = inner, happen

    def sizes(self, directory: str) -> dict[str, int]:
        self._happen("sizes")
        return self._inner.sizes(directory)

    def make_directory(self, directory: str) -> None:
        self._happen("make_directory")
        self._inner.make_directory(directory)

    def open(self, path: str) -> SegmentFile:
        self._happen("open")
        return _FaultyFile(self._inner.open(path), self._happen)


class _FaultyFile:
    def __init__(self, inner: SegmentFile, happen: Happen) -> None:
        self._inner, self._happen = inner, happen

    def append(self, data: memoryview) -> int:
        """Write about the half at first, as a disk does that is full a moment later."""
        self._happen("append")
        return self._inner.append(data[: (len(data) + 1) // 2])

    def force(self) -> None:
        self._happen("force")
        self._inner.force()

    def cut(self, size: int) -> None:
        self._happen("cut")
        self._inner.cut(size)

    def ends_with(self, data: bytes) -> bool:
        self._happen("ends_with")
        return self._inner.ends_with(data)

    def close(self) -> None:
        self._inner.close()
