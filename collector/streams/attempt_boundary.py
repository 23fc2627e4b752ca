"""Where one attempt's part of a file ends and the next attempt's part begins.

At each start of the trainer the launcher notes the file's inode, its size, and its last bytes. So
an attempt that appends differs from one that writes a new file, even if the collector looks late.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from api.run_directory import AttemptRecord, FileBorder
from collector.streams.files import OpenFile
from collector.streams.stream_position import Fingerprint, Generation, StreamPosition
from filters.extractor import Position
from filters.lines import LinePosition


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptBoundary:
    """Where an attempt ends because the next one began; without fields, the attempt has no end."""

    border: FileBorder | None = None
    """The file when the next attempt began; None where there was no file."""
    since: int | None = None
    """When the next attempt began, in microseconds since 1970."""

    @property
    def size(self) -> int:
        """The file's size when the next attempt began, in bytes; 0 where there was no file."""
        return self.border.size if self.border else 0

    @classmethod
    def of(cls, later: AttemptRecord | None) -> AttemptBoundary:
        """Return the boundary from the next attempt's record; empty without a next attempt."""
        return cls() if later is None else cls(border=later.file, since=micros(later.started))

    def is_before(self, file: OpenFile) -> bool:
        """Return whether a generation began before the next attempt did."""
        if self.since is None or self.end_in(file) is not None:
            return True
        return file.stat().mtime <= self.since

    def end_in(self, file: OpenFile) -> int | None:
        """Return where the attempt ended in a file, or in a copy of it; None if in another file."""
        border = self.border
        if border is None or file.stat().size < border.size:
            return None
        if not border.tail:
            return border.size if file.stat().inode == border.inode else None
        length = len(border.tail)
        return border.size if file.read_at(border.size - length, length) == border.tail else None

    def is_overwritten(self, file: OpenFile) -> bool:
        """Return whether the attempt ended in this file, and the next one has written over it."""
        border = self.border
        same = border is not None and file.stat().inode == border.inode
        return same and self.end_in(file) is None


def start_position(record: AttemptRecord, before: StreamPosition | None) -> StreamPosition:
    """Return where an attempt begins; `before` is where the attempt before it ended.

    | at its start the file was      | the attempt begins                             |
    |--------------------------------|------------------------------------------------|
    | missing                        | at the start of the first file                 |
    | the one where `before` ends    | at `before`, whose fingerprints stay valid     |
    | another one                    | at the end that the file had then              |
    """
    if record.file is None:
        serial = before.generation.serial if before else 0
        return StreamPosition(generation=Generation(serial=serial))
    inode, size = record.file.inode, record.file.size
    if before is not None and before.generation.inode == inode and before.offset <= size:
        lines = LinePosition(offset=before.offset, line=before.position.lines.line)
        position = Position(lines=lines)
        return replace(before, position=position, inherited=True, sealed=False, finished=False)
    return StreamPosition(
        generation=Generation(inode=inode),
        position=Position(lines=LinePosition(offset=size)),
        tail=Fingerprint.of(record.file.tail),
        inherited=size > 0,
    )


def micros(seconds: float) -> int:
    """Return seconds as microseconds."""
    return int(seconds * 1_000_000)
