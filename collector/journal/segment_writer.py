"""Appends to numbered segments, as `collector.streams.segments.Segments` reads them."""

from __future__ import annotations

import os
from pathlib import Path

from api.names import JOURNAL_SEGMENT
from collector.streams.segments import segment_name

_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class SegmentWriter:
    """The end of one attempt's journal. For one thread at a time."""

    def __init__(self, directory: str, size: int) -> None:
        """Continue behind the last segment; `size` is the size of each, in bytes.

        Raises:
            OSError: the directory cannot be written.
        """
        self._directory = Path(directory)
        self._size = size
        self._directory.mkdir(parents=True, exist_ok=True)
        self._index = self._first_with_room()
        self._descriptor = self._open(self._index)
        self._end = os.fstat(self._descriptor).st_size
        self._is_torn = self._ends_within_line()

    def append(self, data: bytes) -> None:
        """Write whole lines, and return when they are on the disk.

        Raises:
            OSError: they may be there or not, or only a part of them.
        """
        if self._is_torn:
            # This makes a line of the rest of an earlier write. Its reader skips it.
            data = b"\n" + data
        self._is_torn = True
        left = memoryview(data)
        while left:
            room = self._size - self._end
            if len(left) >= room:
                self._fill(left[:room])
                left = left[room:]
                continue
            self._write(left)
            break
        self._force_to_disk()
        self._is_torn = False

    def close(self) -> None:
        """Close the open segment."""
        os.close(self._descriptor)

    @property
    def index(self) -> int:
        """The index of the segment that is written now, from 0."""
        return self._index

    def _fill(self, data: memoryview) -> None:
        """Fill this segment, and go on to the next one.

        The next one exists first: a reader removes a segment that it has read to its end, and a
        writer that starts again must still find where the journal ends.
        """
        following = self._open(self._index + 1)
        try:
            self._write(data)
            self._force_to_disk()
        except OSError:
            os.close(following)
            raise
        os.close(self._descriptor)
        self._descriptor, self._index, self._end = following, self._index + 1, 0

    def _force_to_disk(self) -> None:
        os.fdatasync(self._descriptor)

    def _write(self, data: memoryview) -> None:
        while data:
            count = os.write(self._descriptor, data)
            self._end += count
            data = data[count:]

    def _open(self, index: int) -> int:
        descriptor = os.open(self._directory / segment_name(JOURNAL_SEGMENT, index), _APPEND, 0o600)
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return descriptor

    def _first_with_room(self) -> int:
        """Return the index of the segment to continue: the first that is not full.

        It is not always the last one: a writer that dies in `_fill` leaves an empty one behind it.
        """
        sizes = {
            int(each.name.removeprefix(JOURNAL_SEGMENT)) - 1: each.stat().st_size
            for each in self._directory.glob(f"{JOURNAL_SEGMENT}*")
        }
        with_room = (index for index, size in sizes.items() if size < self._size)
        return min(with_room, default=max(sizes, default=-1) + 1)

    def _ends_within_line(self) -> bool:
        """Return whether the last write may be torn: its last byte may be in a removed segment."""
        if self._end == 0:
            return self._index > 0
        return os.pread(self._descriptor, 1, self._end - 1) != b"\n"
