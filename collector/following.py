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

from dataclasses import dataclass, replace

from api.run_directory import AttemptRecord, FileBorder
from collector.places import Gap, Generation, Place
from collector.ports import FileSystem, OpenFile
from collector.rotated import Candidate, fits, is_copy, is_passed, passed, rotated
from collector.streams import Chunk
from filters.extractor import Position
from filters.lines import LinePosition

_EMPTIED = "it was cut or written over before it was read to its end"
_CUT = "it was cut before it was read to its end"
_DELETED = "it was deleted before it was read to its end"
_TICK = 10_000
"""Microseconds by which a file system's clock may be behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Where an attempt ends because another one began."""

    border: FileBorder | None
    since: int
    """When, in microseconds since 1970."""

    @classmethod
    def of(cls, record: AttemptRecord) -> Limit:
        """Take it from how the other attempt began."""
        return cls(border=record.file, since=_micros(record.started))


class FollowedFile:
    """The file at a path, within one attempt."""

    def __init__(self, path: str, files: FileSystem, record: AttemptRecord) -> None:
        """Follow what is written to a path from the beginning of an attempt on."""
        self._limit: Limit | None = None
        self._path = path
        self._files = files
        self._since = _micros(record.started) - _TICK
        self._open: OpenFile | None = None
        self._serial = 0

    @property
    def name(self) -> str:
        """Return the path."""
        return self._path

    def read(
        self, place: Place, count: int, *, over: bool, later: AttemptRecord | None = None
    ) -> Chunk:
        """Return the next bytes, or the beginning of the next generation where this one is read."""
        self._limit = Limit.of(later) if later else None
        if place.sealed or place.generation.inode is None:
            return self._next(place, over=over)
        file = self._file(place)
        if file is None:
            return self._lost(place, _DELETED)
        successor = self._successor(place, file)
        end = self._end_of_attempt(place)
        asked = count if end is None else max(0, min(count, end - place.offset))
        before = place.tail.length
        raw = file.read_at(place.offset - before, before + asked)
        if not place.tail.fits(raw[:before]) or file.stat().size < max(place.offset, end or 0):
            return self._damaged(place, file)
        read_all = len(raw) - before < count
        last = read_all and over and (successor is None or end is not None)
        final = last or (read_all and successor is not None)
        return Chunk(place=place, data=raw[before:], before=raw[:before], final=final, last=last)

    def again(self, start: Place, end: Place) -> bytes | None:
        """Return the bytes between two places of a generation; None where they are destroyed."""
        file = self._file(end)
        if file is None or not fits(file, end):
            return None
        data = file.read_at(start.offset, end.offset - start.offset)
        return data if len(data) == end.offset - start.offset else None

    def peek(self, place: Place, offset: int, count: int) -> bytes:
        """Return bytes as they are, where the generation is open."""
        if self._open is None or self._serial != place.generation.serial:
            return b""
        return self._open.read_at(offset, count)

    def release(self, offset: int, *, all_of_it: bool = False) -> None:
        """Do nothing: a user's file is the user's."""

    def close(self) -> None:
        """Close the open generation."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _file(self, place: Place) -> OpenFile | None:
        """Return the file of a place's generation: the open one, else found by its bytes.

        Where no bytes fit it is the one with the inode, if there is one: it has been changed.
        """
        if self._open is not None and self._serial == place.generation.serial:
            return self._open
        changed: OpenFile | None = None
        for each in (*self._at_path(), *rotated(self._files, self._path)):
            file = self._files.open(each.path)
            if file is None:
                continue
            if fits(file, place):
                if changed is not None:
                    changed.close()
                return self._take(file, place)
            if changed is None and file.stat().inode == place.generation.inode:
                changed = file
            else:
                file.close()
        return None if changed is None else self._take(changed, place)

    def _damaged(self, place: Place, file: OpenFile) -> Chunk:
        """Go on in a copy that holds what was read, or in what has become of the file."""
        copy = self._copy_of(place)
        if copy is not None:
            generation = replace(place.generation, inode=copy.stat().inode)
            moved = replace(place, generation=generation)
            self._take(copy, moved)
            return Chunk(place=moved)
        size, head = file.stat().size, place.head
        border = self._end_of_attempt(place)
        if border is not None:
            # The next attempt has opened the file with `w`. What is in it now is the next one's.
            gap = self._gap(place, border, _EMPTIED) if place.offset < border else None
            self.close()
            over = replace(place.renewed(place.generation.inode), finished=True)
            return Chunk(place=over, gap=gap, final=True, last=True)
        cut = 0 < head.length <= size < place.offset and head.fits(file.read_at(0, head.length))
        if not cut or place.inherited:
            return self._lost(place, _EMPTIED)
        here = replace(place.leapt(size), head=head)
        return Chunk(place=here, gap=self._gap(place, None, _CUT))

    def _lost(self, place: Place, why: str) -> Chunk:
        """Leave a generation that nobody can read any more.

        Where this attempt has read nothing of it, nothing of this attempt was in it.
        """
        self.close()
        gap = None if place.inherited else self._gap(place, None, why)
        return Chunk(place=replace(place, sealed=True), gap=gap)

    def _copy_of(self, place: Place) -> OpenFile | None:
        """Find a file that holds the bytes before a place, and perhaps those behind it."""
        if not place.head.length:
            return None
        for each in rotated(self._files, self._path):
            file = self._files.open(each.path)
            if file is not None and fits(file, place):
                return file
            if file is not None:
                file.close()
        return None

    def _next(self, place: Place, *, over: bool) -> Chunk:
        """Begin the next generation, if there is one."""
        old = self._open if self._serial == place.generation.serial else None
        following = self._successor(place, old)
        file = None if following is None else self._files.open(following.path)
        if file is None:
            ended = over and following is None
            return Chunk(place=place, final=ended, last=ended)
        stat = file.stat()
        earlier = (
            each
            for each in rotated(self._files, self._path)
            if each.stat.mtime <= stat.mtime and each.stat.inode != stat.inode
        )
        new = place.renewed(stat.inode, passed(self._files, earlier))
        self._take(file, new)
        return Chunk(place=new)

    def _successor(self, place: Place, current: OpenFile | None) -> Candidate | None:
        """Return the oldest file that comes after a generation; None while it is the newest."""
        here = self._at_path()
        now = current.stat() if current is not None else None
        if here and now is not None and here[0].stat.inode == now.inode:
            return None
        since = now.mtime if now is not None else self._since
        for each in rotated(self._files, self._path):
            if each.stat.mtime >= since and self._is_later(each, place, current):
                return each if self._is_ours(each) else None
        return here[0] if here and self._is_ours(here[0]) else None

    def _is_later(self, each: Candidate, place: Place, current: OpenFile | None) -> bool:
        """Say whether a rotated file is none that we know, nor a copy of one."""
        file = self._files.open(each.path)
        if file is None:
            return False
        try:
            stat, head = file.stat(), place.head
            if current is not None and stat.inode == current.stat().inode:
                return False
            known = is_passed(file, place.generation.others) or fits(file, place)
            shorter = 0 < stat.size < place.offset and head.fits(file.read_at(0, head.length))
            return not (known or shorter or (current is not None and is_copy(file, current)))
        finally:
            file.close()

    def _is_ours(self, each: Candidate) -> bool:
        """Say whether a generation began before the next attempt did."""
        if self._limit is None:
            return True
        border = self._limit.border
        same = border is not None and border.inode == each.stat.inode
        return same or each.stat.mtime <= self._limit.since

    def _end_of_attempt(self, place: Place) -> int | None:
        """Return where the attempt ends in this generation, if it ends in this one."""
        border = self._limit.border if self._limit else None
        if border is None or border.inode != place.generation.inode:
            return None
        return border.size

    def _at_path(self) -> tuple[Candidate, ...]:
        stat = self._files.stat(self._path)
        return () if stat is None else (Candidate(path=self._path, stat=stat),)

    def _take(self, file: OpenFile, place: Place) -> OpenFile:
        self.close()
        self._open, self._serial = file, place.generation.serial
        return file

    def _gap(self, place: Place, end: int | None, why: str) -> Gap:
        serial = place.generation.serial
        return Gap(stream=self._path, generation=serial, start=place.offset, end=end, why=why)


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
        inherited=size > 0,
    )


def _micros(seconds: float) -> int:
    return int(seconds * 1_000_000)
