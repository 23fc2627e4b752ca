"""The ports in memory, for tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from posixpath import dirname

from api.errors import RemoteError, Unavailable
from collector.core.batches import Batch
from collector.core.ports import UnclearAnswer
from collector.streams.files import FileStat


@dataclass(slots=True)
class Node:
    """A file without its name."""

    inode: int
    data: bytearray = field(default_factory=bytearray)
    mtime: int = 0
    links: int = 0
    """Number of names and open files; at 0 the inode number is reused."""


class MemoryClock:
    """A clock that the test moves."""

    def __init__(self, micros: int = 1_763_942_400_000_000) -> None:
        """Begin at this time, in microseconds since 1970."""
        self._start = self._now = micros

    def micros(self) -> int:
        """Return microseconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        return (self._now - self._start) / 1_000_000

    def pass_by(self, seconds: float) -> None:
        """Advance the clock by so many seconds."""
        self._now += ceil(seconds * 1_000_000)


class MemoryFile:
    """An open file. While it is open, it stays readable and keeps its inode."""

    def __init__(self, node: Node, files: MemoryFiles) -> None:
        """Open a node."""
        self._node = node
        self._files = files
        self.closed = False
        node.links += 1

    def stat(self) -> FileStat:
        """Return the file's facts as they are now."""
        return _stat(self._node)

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes."""
        return bytes(self._node.data[offset : offset + count])

    def duplicate(self) -> MemoryFile:
        """Return the same file, open once more."""
        return MemoryFile(self._node, self._files)

    def append(self, data: bytes) -> None:
        """Write at the end of the file."""
        self._node.data += data
        self._node.mtime = self._files.clock.micros()

    def truncate(self, size: int) -> None:
        """Cut the file to a size."""
        del self._node.data[size:]
        self._node.mtime = self._files.clock.micros()

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self.closed = True
            self._files.unlinked(self._node)


class MemoryFiles:
    """A file system that reuses inode numbers as soon as possible, as ext4 does."""

    def __init__(self, clock: MemoryClock) -> None:
        """Begin empty; the clock gives the times of writes."""
        self.clock = clock
        self._named: dict[str, Node] = {}
        self._free: list[int] = []
        self._next = 1

    def stat(self, path: str) -> FileStat | None:
        """Return the facts about the file at a path."""
        node = self._named.get(path)
        return None if node is None else _stat(node)

    def names(self, directory: str) -> list[str]:
        """Return the names of files and directories in a directory."""
        start = directory.rstrip("/") + "/"
        below = (path[len(start) :] for path in self._named if path.startswith(start))
        return list(dict.fromkeys(path.split("/")[0] for path in below))

    def directories(self, directory: str) -> list[str]:
        """Return the names of the directories in a directory."""
        start = directory.rstrip("/") + "/"
        below = (path[len(start) :] for path in self._named if path.startswith(start))
        return list(dict.fromkeys(path.split("/")[0] for path in below if "/" in path))

    def open(self, path: str) -> MemoryFile | None:
        """Open an existing file."""
        node = self._named.get(path)
        return None if node is None else MemoryFile(node, self)

    def create(self, path: str) -> MemoryFile:
        """Open a file; make it if it is missing."""
        node = self._named.get(path)
        if node is None:
            node = self._named[path] = Node(inode=self._inode(), mtime=self.clock.micros(), links=1)
        return MemoryFile(node, self)

    def read(self, path: str) -> bytes | None:
        """Return a whole file."""
        node = self._named.get(path)
        return None if node is None else bytes(node.data)

    def unlink(self, path: str) -> None:
        """Remove a name."""
        node = self._named.pop(path, None)
        if node is not None:
            self.unlinked(node)

    def node(self, path: str) -> Node:
        """Return the node of an existing file."""
        return self._named[path]

    def link(self, old: str, new: str) -> None:
        """Give a file a second name, which no other file has."""
        self._named[new] = self._named[old]
        self._named[new].links += 1

    def rename(self, old: str, new: str) -> None:
        """Rename a file; replace the file that had the new name."""
        node = self._named.pop(old)
        self.unlink(new)
        self._named[new] = node

    def replace(self, path: str, data: bytes) -> None:
        """Replace a file atomically."""
        temporary = f"{dirname(path)}/.new"
        file = self.create(temporary)
        file.append(data)
        file.close()
        self.rename(temporary, path)

    def unlinked(self, node: Node) -> None:
        """Note that a node has one name or open file fewer."""
        node.links -= 1
        if not node.links:
            self._free.append(node.inode)

    def _inode(self) -> int:
        if self._free:
            return self._free.pop()
        self._next += 1
        return self._next


class MemoryStore:
    """A store that accepts each number of a source once; tests read its contents."""

    def __init__(self) -> None:
        """Begin empty."""
        self.batches: dict[tuple[str, int], Batch] = {}
        self.tries: Counter[tuple[str, int]] = Counter()
        """How often each batch was sent."""
        self.away: str | None = None
        """Why the store does not answer; None while it answers."""
        self.unclear: str | None = None
        """The unclear error that each batch gets; None while the store accepts them."""
        self.refuses: str | None = None
        """Why the store refuses batches; None while it accepts them."""
        self.is_katibs = False
        """The store keeps no outcomes, and fails on a batch without points."""

    def send(self, batch: Batch) -> None:
        """Store a batch; ignore a repeated one."""
        self.tries[batch.source, batch.sequence] += 1
        self._raise_faults()
        if self.is_katibs and not batch.points:
            raise UnclearAnswer("Error 1064: You have an error in your SQL syntax near ''")
        self.batches.setdefault((batch.source, batch.sequence), batch)

    def keeps_outcomes(self) -> bool:
        """Return whether the store is trialwatch's."""
        if self.away is not None:
            raise Unavailable(self.away)
        return not self.is_katibs

    def _raise_faults(self) -> None:
        """Raise the error that a batch gets, if any."""
        if self.away is not None:
            raise Unavailable(self.away)
        if self.unclear is not None:
            raise UnclearAnswer(self.unclear)
        if self.refuses is not None:
            raise RemoteError(self.refuses)

    def values(self, source: str) -> list[str]:
        """Return the values of a source, in the order of its reports."""
        mine = sorted(number for owner, number in self.batches if owner == source)
        return [point.value for number in mine for point in self.batches[source, number].points]

    def outcome(self, source: str) -> str | None:
        """Return the outcome that a source has reported."""
        outcomes = (batch.outcome for (owner, _), batch in self.batches.items() if owner == source)
        return next((outcome for outcome in outcomes if outcome is not None), None)


class MemoryLog:
    """A log that keeps its sentences."""

    def __init__(self) -> None:
        """Begin empty."""
        self.sentences: list[str] = []

    def note(self, text: str) -> None:
        """Keep a sentence about something usual."""
        self.sentences.append(text)

    def write(self, text: str) -> None:
        """Keep a sentence."""
        self.sentences.append(text)


def _stat(node: Node) -> FileStat:
    return FileStat(inode=node.inode, size=len(node.data), mtime=node.mtime)
