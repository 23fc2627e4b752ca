"""Appends to numbered segments, as `collector.streams.segments.Segments` reads them."""

from __future__ import annotations

from collections.abc import Mapping

from api.names import JOURNAL_SEGMENT
from collector.journal.segment_files import SegmentFile, SegmentFiles
from collector.streams.segments import segment_name


class StillWrittenError(Exception):
    """A write failed, and its bytes cannot be removed: the next collector may read them."""


class SegmentWriter:
    """The end of one attempt's journal. For one thread at a time.

    A reader of this process must not read beyond `accepted`: what is behind it is still being
    written, or was refused and is removed. The reader of a collector that starts after a crash
    reads all: the calls whose bytes are behind it got no answer.
    """

    def __init__(self, directory: str, size: int, files: SegmentFiles) -> None:
        """Continue behind the last segment; `size` is the size of each, in bytes.

        Raises:
            OSError: the directory cannot be written.
        """
        self._directory = directory
        self._size = size
        self._files = files
        files.make_directory(directory)
        self._index, self._end = _end_of(files.sizes(directory), size)
        self._file = files.open(self._path(self._index))
        self._accepted = self._index, self._end
        self._is_clean = True
        """Nothing stands behind the accepted lines."""
        try:
            self._is_torn = not self._ends_with_line()
        except BaseException:
            self._file.close()
            raise

    def append(self, data: bytes) -> None:
        """Write whole lines, and return when they are on the disk.

        Raises:
            OSError: nothing of them is there, as if they had not been written.
            StillWrittenError: they may be there, or a part of them.
        """
        self._take_back()
        # A newline makes a line of the rest of an earlier collector's write. Its reader skips it.
        lines = b"\n" + data if self._is_torn else data
        self._is_clean = False
        try:
            self._write_all(memoryview(lines))
            self._file.force()
        except Exception as fault:
            self._remove_written(fault)
            raise
        self._accepted = self._index, self._end
        self._is_clean, self._is_torn = True, False

    def close(self) -> None:
        """Close the open segment."""
        self._file.close()

    @property
    def index(self) -> int:
        """The index of the segment that is written now, from 0."""
        return self._index

    @property
    def accepted(self) -> int:
        """The offset in the stream behind the last line that is on the disk."""
        index, end = self._accepted
        return index * self._size + end

    def _ends_with_line(self) -> bool:
        """Return whether the last write is whole; false if its end is in a removed segment."""
        return self._file.ends_with(b"\n") if self._end else self._index == 0

    def _write_all(self, left: memoryview) -> None:
        while left:
            room = self._size - self._end
            if len(left) < room:
                self._write(left)
                break
            self._fill(left[:room])
            left = left[room:]

    def _fill(self, data: memoryview) -> None:
        """Fill this segment, and go on to the next one.

        The next one exists first: a reader removes a segment that it has read to its end, and a
        writer that starts again must still find where the journal ends.
        """
        following = self._files.open(self._path(self._index + 1))
        try:
            self._write(data)
            self._file.force()
        except BaseException:
            following.close()
            raise
        self._go_to(self._index + 1, following)
        self._end = 0

    def _write(self, data: memoryview) -> None:
        while data:
            count = self._file.append(data)
            self._end += count
            data = data[count:]

    def _remove_written(self, fault: Exception) -> None:
        try:
            self._take_back()
        except OSError as error:
            raise StillWrittenError(f"{fault}; {error}") from fault

    def _take_back(self) -> None:
        """Remove what stands behind the accepted lines.

        The last segment is cut first: a crash leaves no gap between two segments.
        """
        if self._is_clean:
            return
        index, end = self._accepted
        for later in range(self._index, index, -1):
            file = self._files.open(self._path(later))
            try:
                file.cut(0)
            finally:
                file.close()
        if self._index != index:
            self._go_to(index, self._files.open(self._path(index)))
        self._file.cut(end)
        self._end, self._is_clean = end, True

    def _go_to(self, index: int, file: SegmentFile) -> None:
        self._file.close()
        self._index, self._file = index, file

    def _path(self, index: int) -> str:
        return f"{self._directory}/{segment_name(JOURNAL_SEGMENT, index)}"


def end_on_disk(directory: str, size: int, files: SegmentFiles) -> int:
    """Return the offset behind the last byte of the journal in a directory.

    Raises:
        OSError: the directory cannot be read.
    """
    index, end = _end_of(files.sizes(directory), size)
    return index * size + end


def _end_of(sizes: Mapping[str, int], size: int) -> tuple[int, int]:
    """Return the index and the size of the segment to continue: the first that is not full.

    It is not always the last one: a writer that dies in `_fill` leaves an empty one behind it.
    """
    segments = {
        int(name.removeprefix(JOURNAL_SEGMENT)) - 1: length
        for name, length in sizes.items()
        if name.startswith(JOURNAL_SEGMENT)
    }
    with_room = (index for index, length in segments.items() if length < size)
    index = min(with_room, default=max(segments, default=-1) + 1)
    return index, segments.get(index, 0)
