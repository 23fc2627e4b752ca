"""The files behind a followed path: the open generation, the next one, and rotated copies."""

from __future__ import annotations

from collections.abc import Callable

from collector.streams.attempt_boundary import AttemptBoundary
from collector.streams.files import FileSystem, OpenFile
from collector.streams.held_files import HeldFiles
from collector.streams.rotated_files import fits, is_copy, is_seen, seen_files
from collector.streams.stream_position import SeenFile, StreamPosition


class Generations:
    """Finds the files of a path's generations; keeps the current and the next one open."""

    def __init__(self, path: str, files: FileSystem, held: HeldFiles, since: int) -> None:
        """Look at a path; `since` is when the attempt began, in microseconds since 1970.

        `held` keeps files of the path open, also from one attempt to the next.
        """
        self._path = path
        self._files = files
        self._held = held
        self._since = since
        self._open: OpenFile | None = None
        self._serial = 0
        """The serial of the open generation."""
        self._next: OpenFile | None = None
        self._next_after = 0
        """The serial of the generation before `_next`."""

    def current(self, position: StreamPosition) -> OpenFile | None:
        """Return the open file of the position's generation; None where another one is open."""
        return self._open if self._serial == position.generation.serial else None

    def find(self, position: StreamPosition) -> OpenFile | None:
        """Return the file of the position's generation: the open one, or else found by its bytes.

        Where no file has these bytes, it is the file with the generation's inode: its bytes have
        changed.
        """
        current = self.current(position)
        if current is not None:
            return current
        with self._held.snapshot() as generations:
            inode = position.generation.inode
            changed = (file for file in generations.all if file.stat().inode == inode)
            fitting = (file for file in generations.all if fits(file, position))
            file = next(fitting, None) or next(changed, None)
            if file is None:
                return None
            self.follow(generations.keep(file), position)
            return file

    def follow(self, file: OpenFile, position: StreamPosition) -> None:
        """Make a file the open one of the position's generation."""
        self.leave()
        self._open, self._serial = file, position.generation.serial

    def leave(self) -> None:
        """Close the open generation."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def close(self) -> None:
        """Close all files."""
        self.leave()
        self.forget_next()

    def successor(
        self, position: StreamPosition, current: OpenFile | None, boundary: AttemptBoundary
    ) -> OpenFile | None:
        """Return the oldest file that comes after a generation; None while it is the newest.

        The file stays open from the moment it is found: it may be deleted before its turn comes.
        """
        serial = position.generation.serial
        if self._next is not None and self._next_after != serial:
            self.forget_next()
        if self._next is None:
            self._next, self._next_after = self._find_next(position, current), serial
        return self._next if self._next and boundary.is_before(self._next) else None

    def hold(self, position: StreamPosition) -> None:
        """Keep all files open that may have unread bytes, and only these."""
        self._look(position, self.current(position))
        self._held.drop(self._unread_from(position))

    def is_after_lost(self, file: OpenFile) -> bool:
        """Return whether files before a successor may have been removed before they were seen."""
        return self._held.is_after_lost(file)

    def forget_next(self) -> None:
        """Close the next generation: it may not be the next one any more."""
        if self._next is not None:
            self._next.close()
            self._next = None

    def begin_next(self, position: StreamPosition, file: OpenFile) -> StreamPosition:
        """Open the successor, and return the position at its start."""
        self._next = None  # `file`, which is the open one from here on
        stat = file.stat()
        with self._held.snapshot() as generations:
            earlier = (
                other
                for other in generations.rotated
                if other.stat().mtime <= stat.mtime and other.stat().inode != stat.inode
            )
            start = position.next_generation(stat.inode, seen_files(earlier))
        self.follow(file, start)
        return start

    def rotated(self, current: OpenFile, condition: Callable[[OpenFile], bool]) -> OpenFile | None:
        """Return the first rotated file, other than the current one, that meets a condition."""
        inode = current.stat().inode
        with self._held.snapshot() as generations:
            for file in generations.rotated:
                if file.stat().inode != inode and condition(file):
                    return generations.keep(file)
        return None

    def copies_of_read_bytes(self, position: StreamPosition) -> tuple[SeenFile, ...]:
        """Return the rotated files that hold only bytes which were read before the position."""
        head = position.head
        with self._held.snapshot() as generations:
            copies = (
                file
                for file in generations.rotated
                if head.length
                and 0 < file.stat().size <= position.offset
                and head.fits(file.read_at(0, head.length))
            )
            return seen_files(copies)

    def _find_next(self, position: StreamPosition, current: OpenFile | None) -> OpenFile | None:
        now = current.stat() if current is not None else None
        at_path = self._files.stat(self._path)
        if at_path is not None and now is not None and at_path.inode == now.inode:
            return None
        self._look(position, current)
        since = self._written_since(position)
        with self._held.snapshot() as generations:
            later = (
                file
                for file in generations.rotated
                if file.stat().mtime >= since and _is_later(file, position, current)
            )
            file = next(later, generations.at_path)
            if file is None or (now is not None and file.stat().inode == now.inode):
                return None
            return generations.keep(file)

    def _look(self, position: StreamPosition, current: OpenFile | None) -> None:
        newest = current.stat().inode if current is not None else None
        self._held.look(self._unread_from(position), newest)

    def _unread_from(self, position: StreamPosition) -> Callable[[OpenFile], bool]:
        """Return the test whether a file may have bytes that come after a position."""
        since, generation = self._written_since(position), position.generation

        def may_be_unread(file: OpenFile) -> bool:
            stat = file.stat()
            if stat.inode == generation.inode:
                return True
            return stat.mtime >= since and not is_seen(file, generation.others)

        return may_be_unread

    def _written_since(self, position: StreamPosition) -> int:
        """Return when a later generation was written at the earliest, in microseconds."""
        return max(self._since, position.generation.written)


def _is_later(file: OpenFile, position: StreamPosition, current: OpenFile | None) -> bool:
    """Return whether a rotated file is new: neither seen before nor a copy of the current one."""
    if current is not None and file.stat().inode == current.stat().inode:
        return False
    known = is_seen(file, position.generation.others) or fits(file, position)
    return not (known or (current is not None and is_copy(file, current)))
