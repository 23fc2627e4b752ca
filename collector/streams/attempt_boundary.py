"""Where one attempt's part of a file ends, and the next one's begins.

The launcher notes at each start of the trainer which file there was, how long it was, and its last
bytes. So an attempt that appends is told from one that writes the file anew, however late we look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from api.run_directory import AttemptRecord, FileBorder
from collector.streams.files import OpenFile
from collector.streams.stream_position import Anchor, Generation, Place
from filters.extractor import Position
from filters.lines import LinePosition


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Where an attempt ends because another one began; without anything: it has no limit."""

    border: FileBorder | None = None
    """None where there was no file then."""
    since: int | None = None
    """When the other one began, in microseconds since 1970."""

    @classmethod
    def of(cls, later: AttemptRecord | None) -> Limit:
        """Take it from how the other attempt began, where there is one."""
        return cls() if later is None else cls(border=later.file, since=micros(later.started))

    def is_ours(self, file: OpenFile) -> bool:
        """Say whether a generation began before the other attempt did."""
        if self.since is None or self.end_in(file) is not None:
            return True
        return file.stat().mtime <= self.since

    def end_in(self, file: OpenFile) -> int | None:
        """Return where in a file, or a copy of it, the attempt ended; None if in another one."""
        border = self.border
        if border is None or file.stat().size < border.size:
            return None
        if not border.tail:
            return border.size if file.stat().inode == border.inode else None
        length = len(border.tail)
        return border.size if file.read_at(border.size - length, length) == border.tail else None

    def is_written_over(self, file: OpenFile) -> bool:
        """Say whether this was the file in which the attempt ended, and is the other one's now."""
        border = self.border
        same = border is not None and file.stat().inode == border.inode
        return same and self.end_in(file) is None


def first_place(record: AttemptRecord, before: Place | None) -> Place:
    """Return where an attempt begins in the file, from where the one before it has ended.

    | at its start the file was | it begins                                            |
    |---------------------------|------------------------------------------------------|
    | not there                 | with the first file that is made                     |
    | where the other one ended | there, knowing the bytes before it                   |
    | another one               | at its end as it was then                            |
    """
    if record.file is None:
        serial = before.generation.serial if before else 0
        return Place(generation=Generation(serial=serial))
    inode, size = record.file.inode, record.file.size
    if before is not None and before.generation.inode == inode and before.offset <= size:
        lines = LinePosition(offset=before.offset, line=before.position.lines.line)
        position = Position(lines=lines)
        return replace(before, position=position, inherited=True, sealed=False, finished=False)
    return Place(
        generation=Generation(inode=inode),
        position=Position(lines=LinePosition(offset=size)),
        tail=Anchor.of(record.file.tail),
        inherited=size > 0,
    )


def micros(seconds: float) -> int:
    """Return seconds as microseconds."""
    return int(seconds * 1_000_000)
