"""A stream in numbered segments, the launcher's or the journal's: one endless generation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from api.names import ERR_SEGMENT, JOURNAL_SEGMENT, OUT_SEGMENT, SEGMENT_DIGITS
from api.run_directory import SEGMENT_BYTES, AttemptRecord
from collector.streams.files import FileSystem, OpenFile
from collector.streams.stream import PIECE, Chunk
from collector.streams.stream_position import Gap, StreamPosition

OUTPUTS = ("out", "err")
"""The streams of the trainer's output."""
JOURNAL = "journal"
"""The stream of the points that came by a call (`collector.journal`)."""
_PREFIXES = {"out": OUT_SEGMENT, "err": ERR_SEGMENT, JOURNAL: JOURNAL_SEGMENT}
"""By the stream's name."""


class Segments:
    """Standard output, standard error or the journal of one attempt."""

    def __init__(
        self,
        name: str,
        directory: str,
        files: FileSystem,
        size: int = SEGMENT_BYTES,
        end: Callable[[], float] = lambda: math.inf,
    ) -> None:
        """Read in an attempt's directory.

        Args:
            name: of `OUTPUTS`, or `JOURNAL`.
            directory: the one with the segments.
            files: the file system.
            size: the bytes of each segment but the last one.
            end: returns the offset behind which there is nothing to read yet.
        """
        self._size = size
        self._end = end
        self._name = name
        self._prefix = _PREFIXES[name]
        self._directory = directory
        self._files = files
        self._open: tuple[int, OpenFile] | None = None
        self._released = 0

    @property
    def name(self) -> str:
        """Return `out`, `err` or `journal`."""
        return self._name

    def read(
        self,
        position: StreamPosition,
        count: int,
        *,
        over: bool,
        later: AttemptRecord | None = None,
    ) -> Chunk:
        """Return the next bytes, also across segments. Each attempt has its own segments."""
        del later
        room = min(count, max(0, self._end() - position.offset))
        data = self._bytes(position.offset, int(room))
        if not data and (later_index := self._later(position.offset)) is not None:
            start, end = position.offset, later_index * self._size
            gap = Gap(
                stream=self._name,
                generation=position.generation.serial,
                start=start,
                end=end,
                why="segments of it were removed",
            )
            return Chunk(start=position.skipped_to(end), gap=gap)
        last = over and len(data) < count
        return Chunk(start=position, data=data, final=last, last=last)

    def again(self, start: StreamPosition, end: StreamPosition) -> Iterator[bytes]:
        """Yield the bytes between two positions."""
        for offset in range(start.offset, end.offset, PIECE):
            yield self._bytes(offset, min(PIECE, end.offset - offset))

    def peek(self, position: StreamPosition, offset: int, count: int) -> bytes:
        """Return bytes as they are now; there is only one generation."""
        del position
        return self._bytes(offset, count)

    def hold(self, position: StreamPosition) -> None:
        """Do nothing: only the collector removes segments."""

    def release(self, offset: int, *, all_of_it: bool = False) -> None:
        """Remove the segments before an offset, or all segments once the attempt is over."""
        if all_of_it:
            for index in self._indexes():
                self._files.unlink(self._path(index))
        while self._released < offset // self._size:
            self._files.unlink(self._path(self._released))
            self._released += 1

    def close(self) -> None:
        """Close the open segment."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _bytes(self, offset: int, count: int) -> bytes:
        pieces: list[bytes] = []
        while count > 0:
            index, within = divmod(offset, self._size)
            file = self._file(index)
            piece = file.read_at(within, min(count, self._size - within)) if file else b""
            pieces.append(piece)
            offset += len(piece)
            count -= len(piece)
            if offset // self._size == index:
                break
        return b"".join(pieces)

    def _file(self, index: int) -> OpenFile | None:
        if self._open is not None and self._open[0] == index:
            return self._open[1]
        file = self._files.open(self._path(index))
        if file is not None:
            self.close()
            self._open = index, file
        return file

    def _later(self, offset: int) -> int | None:
        """Return the next existing segment if the one with the offset is missing; else None."""
        wanted = offset // self._size
        if self._files.stat(self._path(wanted)) is not None:
            return None
        return min((index for index in self._indexes() if index > wanted), default=None)

    def _indexes(self) -> list[int]:
        """Return the indexes of the existing segments, from 0."""
        start = len(self._prefix)
        names = self._files.names(self._directory)
        return [
            int(name[start:]) - 1
            for name in names
            if name.startswith(self._prefix) and name[start:].isdecimal()
        ]

    def _path(self, index: int) -> str:
        return f"{self._directory}/{segment_name(self._prefix, index)}"


def segment_name(prefix: str, index: int) -> str:
    """Return the file name of a segment, by its index from 0."""
    return f"{prefix}{index + 1:0{SEGMENT_DIGITS}}"
