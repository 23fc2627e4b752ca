"""A stream that is a file at a path, through whatever its writer and log rotation do to it.

| what happens                    | what is done                                                |
|---------------------------------|-------------------------------------------------------------|
| renamed, and made anew          | the open file is read to its end, then the new one          |
| renamed several times meanwhile | the rotated files in between are found, by age              |
| copied and emptied              | the rest is read from the copy, then the file from its start|
| emptied, cut, written over      | a gap is reported; then from its start, or its new end      |
| deleted, and made anew          | the open file is read to its end, then the new one          |
| a trainer that starts again     | what stood there belongs to the attempt before              |

The order within `read` matters: first it is looked whether a successor exists, then the open file
is read, so that what was written before the rotation is read before the file is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from api.run_directory import AttemptRecord
from collector.streams.attempt_boundary import Limit, micros
from collector.streams.files import FileSystem, OpenFile
from collector.streams.rotated import fits, head_of, is_copy, is_passed, passed, snapshot
from collector.streams.stream import PIECE, Chunk
from collector.streams.stream_position import ANCHOR_BYTES, Anchor, Gap, Place

_EMPTIED = "it was cut or written over before it was read to its end"
_CUT = "it was cut before it was read to its end"
_DELETED = "it was deleted before it was read to its end"
_TICK = 10_000
"""Microseconds by which a file system's clock may be behind."""


class FollowedFile:
    """The file at a path, within one attempt."""

    def __init__(self, path: str, files: FileSystem, record: AttemptRecord) -> None:
        """Follow what is written to a path from the beginning of an attempt on."""
        self._limit = Limit()
        self._path = path
        self._files = files
        self._since = micros(record.started) - _TICK
        self._open: OpenFile | None = None
        self._upcoming: OpenFile | None = None
        """The generation after another one, once it has been seen."""
        self._upcoming_after = 0
        """That other one's serial."""
        self._serial = 0

    @property
    def name(self) -> str:
        """Return the path."""
        return self._path

    def read(
        self, place: Place, count: int, *, over: bool, later: AttemptRecord | None = None
    ) -> Chunk:
        """Return the next bytes, or the beginning of the next generation where this one is read."""
        self._limit = Limit.of(later)
        if place.sealed or place.generation.inode is None:
            return self._next(place, over=over)
        file = self._file(place)
        if file is None:
            return self._lost(place, _DELETED)
        known, place = place, _seen_in(place, file)
        successor = self._successor(place, file)
        end = self._limit.end_in(file)
        asked = count if end is None else max(0, min(count, end - place.offset))
        data = file.read_at(place.offset, asked)
        # After the data: where these are the bytes that we know, the data was what came behind.
        before = file.read_at(place.offset - place.tail.length, place.tail.length)
        intact = place.tail.fits(before) and file.stat().size >= place.offset
        if not intact or self._limit.is_written_over(file):
            return self._damaged(known, file)  # this file's age and inode are another one's
        read_all = len(data) < count
        last = read_all and over and (successor is None or end is not None)
        final = last or (read_all and successor is not None)
        gap = self._unreached(place) if last and end is None else None
        return Chunk(place=place, data=data, before=before, final=final, last=last, gap=gap)

    def again(self, start: Place, end: Place) -> Iterator[bytes]:
        """Give the bytes between two places of a generation; none where they are destroyed."""
        file = self._file(end)
        if file is None or not fits(file, end):
            return
        for offset in range(start.offset, end.offset, PIECE):
            yield file.read_at(offset, min(PIECE, end.offset - offset))

    def peek(self, place: Place, offset: int, count: int) -> bytes:
        """Return bytes as they are, where the generation is open."""
        if self._open is None or self._serial != place.generation.serial:
            return b""
        return self._open.read_at(offset, count)

    def release(self, offset: int, *, all_of_it: bool = False) -> None:
        """Do nothing: a user's file is the user's."""

    def close(self) -> None:
        """Close what is open."""
        self._leave()
        self._forget_upcoming()

    def _forget_upcoming(self) -> None:
        if self._upcoming is not None:
            self._upcoming.close()
            self._upcoming = None

    def _leave(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _file(self, place: Place) -> OpenFile | None:
        """Return the file of a place's generation: the open one, else found by its bytes.

        Where no bytes fit it is the one with the inode, if there is one: it has been changed.
        """
        if self._open is not None and self._serial == place.generation.serial:
            return self._open
        with snapshot(self._files, self._path) as there:
            inode = place.generation.inode
            changed = (file for file in there.all if file.stat().inode == inode)
            fitting = (file for file in there.all if fits(file, place))
            file = next(fitting, None) or next(changed, None)
            return None if file is None else self._take(there.keep(file), place)

    def _damaged(self, place: Place, file: OpenFile) -> Chunk:
        """Go on in a copy that holds what was read, or in what has become of the file."""
        self._forget_upcoming()  # it may come after what is in this file now
        copy = self._rotated(file, lambda other: bool(place.tail.length) and fits(other, place))
        if copy is not None:
            self._take(copy, place)
            return Chunk(place=_seen_in(place, copy))
        if self._limit.is_written_over(file):
            return self._overtaken(place, file)
        size, head = file.stat().size, place.head
        cut = 0 < head.length <= size < place.offset and head.fits(file.read_at(0, head.length))
        if not cut or place.inherited:
            return self._lost(place, _EMPTIED)
        here = replace(place.leapt(size), head=head)
        return Chunk(place=here, gap=self._gap(place, None, _CUT))

    def _overtaken(self, place: Place, file: OpenFile) -> Chunk:
        """The next attempt has opened the file with `w`: what is in it now is the next one's.

        What is left of this attempt's may be in a copy.
        """
        end = self._limit.border.size if self._limit.border else 0
        lost = place.offset not in (0, end) and not place.inherited
        gap = self._gap(place, end, _EMPTIED) if place.offset != end else None
        copy = self._rotated(file, lambda other: self._limit.end_in(other) is not None)
        if copy is not None:
            new = place.renewed(copy.stat().inode)
            self._take(copy, new)
            return Chunk(place=new, gap=gap if lost else None)
        ended = place if fits(file, place) else place.renewed(place.generation.inode)
        self._leave()
        return Chunk(place=replace(ended, finished=True), gap=gap, final=True, last=True)

    def _lost(self, place: Place, why: str) -> Chunk:
        """Leave a generation that nobody can read any more.

        Where this attempt has read nothing of it, nothing of this attempt was in it. What is left
        of it as a copy is none of those that follow.
        """
        self._leave()
        head = place.head
        with snapshot(self._files, self._path) as there:
            copies = (
                file
                for file in there.rotated
                if head.length
                and 0 < file.stat().size <= place.offset
                and head.fits(file.read_at(0, head.length))
            )
            known = (*place.generation.others, *passed(copies))
        gap = None if place.inherited else self._gap(place, None, why)
        return Chunk(place=place.renewed(None, known), gap=gap)

    def _rotated(self, current: OpenFile, wanted: Callable[[OpenFile], bool]) -> OpenFile | None:
        """Find a rotated file that is another one than the current, and as it is wanted."""
        inode = current.stat().inode
        with snapshot(self._files, self._path) as there:
            for file in there.rotated:
                if file.stat().inode != inode and wanted(file):
                    return there.keep(file)
        return None

    def _next(self, place: Place, *, over: bool) -> Chunk:
        """Begin the next generation, if there is one."""
        old = self._open if self._serial == place.generation.serial else None
        file = self._successor(place, old)
        if file is None:
            return self._ended(place) if over else Chunk(place=place)
        self._upcoming = None
        stat = file.stat()
        with snapshot(self._files, self._path) as there:
            earlier = (
                other
                for other in there.rotated
                if other.stat().mtime <= stat.mtime and other.stat().inode != stat.inode
            )
            new = place.renewed(stat.inode, passed(earlier))
        self._take(file, new)
        return Chunk(place=new)

    def _ended(self, place: Place) -> Chunk:
        """End the stream."""
        gap = self._unreached(place)
        return Chunk(place=replace(place, finished=True), final=True, last=True, gap=gap)

    def _unreached(self, place: Place) -> Gap | None:
        """Say what is missing where the file in which the attempt ended was not found."""
        border = self._limit.border
        return self._gap(place, None, _DELETED) if border is not None and border.size else None

    def _successor(self, place: Place, current: OpenFile | None) -> OpenFile | None:
        """Return the oldest file that comes after a generation; None while it is the newest.

        It is kept open from the moment it is seen, for it may be deleted before its turn comes.
        """
        serial = place.generation.serial
        if self._upcoming is not None and self._upcoming_after != serial:
            self._forget_upcoming()
        if self._upcoming is None:
            self._upcoming, self._upcoming_after = self._following(place, current), serial
        return self._upcoming if self._upcoming and self._limit.is_ours(self._upcoming) else None

    def _following(self, place: Place, current: OpenFile | None) -> OpenFile | None:
        now = current.stat() if current is not None else None
        here = self._files.stat(self._path)
        if here is not None and now is not None and here.inode == now.inode:
            return None
        since = max(self._since, place.generation.written)
        with snapshot(self._files, self._path) as there:
            later = (
                file
                for file in there.rotated
                if file.stat().mtime >= since and self._is_later(file, place, current)
            )
            found = next(later, there.at_path)
            if found is None or (now is not None and found.stat().inode == now.inode):
                return None
            return there.keep(found)

    def _is_later(self, file: OpenFile, place: Place, current: OpenFile | None) -> bool:
        """Say whether a rotated file is none that we know, nor a copy of one."""
        if current is not None and file.stat().inode == current.stat().inode:
            return False
        known = is_passed(file, place.generation.others) or fits(file, place)
        return not (known or (current is not None and is_copy(file, current)))

    def _take(self, file: OpenFile, place: Place) -> OpenFile:
        self._leave()
        self._open, self._serial = file, place.generation.serial
        return file

    def _gap(self, place: Place, end: int | None, why: str) -> Gap:
        serial = place.generation.serial
        return Gap(stream=self._path, generation=serial, start=place.offset, end=end, why=why)


def _seen_in(place: Place, file: OpenFile) -> Place:
    """Note what the file tells of a place: its age, and its inode, which is another in a copy.

    And, of a place that only its inode and tail tell, more bytes: they were there at first sight.
    """
    stat = file.stat()
    generation = replace(place.generation, inode=stat.inode, written=stat.mtime)
    place = replace(place, generation=generation)
    if not place.inherited or place.head.length or not fits(file, place):
        return place
    length = min(place.offset, ANCHOR_BYTES)
    tail = Anchor.of(file.read_at(place.offset - length, length))
    return replace(place, head=head_of(file, length), tail=tail)
