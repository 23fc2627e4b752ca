"""The ports in memory: for tests, and for trying a collector without a pod."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from posixpath import dirname

from api.errors import RemoteError, Unavailable
from collector.core.batches import Batch
from collector.streams.files import FileStat


@dataclass(slots=True)
class Node:
    """A file without its name."""

    inode: int
    data: bytearray = field(default_factory=bytearray)
    mtime: int = 0
    links: int = 0
    """Names and open files; with none left the inode number is used again."""


class MemoryClock:
    """A clock that is moved by hand."""

    def __init__(self, micros: int = 1_763_942_400_000_000) -> None:
        """Begin at a time."""
        self._start = self._now = micros

    def micros(self) -> int:
        """Return microseconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        return (self._now - self._start) / 1_000_000

    def pass_by(self, seconds: float) -> None:
        """Move it on."""
        self._now += ceil(seconds * 1_000_000)


class MemoryFile:
    """An open file. It stays readable, and keeps its inode, while it is open."""

    def __init__(self, node: Node, files: MemoryFiles) -> None:
        """Open a node."""
        self._node = node
        self._files = files
        self.closed = False
        node.links += 1

    def stat(self) -> FileStat:
        """Say what the file is now."""
        return _stat(self._node)

    def read_at(self, offset: int, count: int) -> bytes:
        """Return bytes of it."""
        return bytes(self._node.data[offset : offset + count])

    def append(self, data: bytes) -> None:
        """Write behind its end."""
        self._node.data += data
        self._node.mtime = self._files.clock.micros()

    def truncate(self, size: int) -> None:
        """Cut it."""
        del self._node.data[size:]
        self._node.mtime = self._files.clock.micros()

    def close(self) -> None:
        """Let go of it."""
        if not self.closed:
            self.closed = True
            self._files.unlinked(self._node)


class MemoryFiles:
    """A file system that uses inode numbers again as soon as it can, as ext4 does."""

    def __init__(self, clock: MemoryClock) -> None:
        """Begin empty; the clock gives the times of writes."""
        self.clock = clock
        self._named: dict[str, Node] = {}
        self._free: list[int] = []
        self._next = 1

    def stat(self, path: str) -> FileStat | None:
        """Say what stands at a path."""
        node = self._named.get(path)
        return None if node is None else _stat(node)

    def names(self, directory: str) -> list[str]:
        """Return what is in a directory, directories too."""
        start = directory.rstrip("/") + "/"
        below = (path[len(start) :] for path in self._named if path.startswith(start))
        return list(dict.fromkeys(path.split("/")[0] for path in below))

    def open(self, path: str) -> MemoryFile | None:
        """Open a file that is there."""
        node = self._named.get(path)
        return None if node is None else MemoryFile(node, self)

    def create(self, path: str) -> MemoryFile:
        """Open a file, made where it is missing."""
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
        """Return the file behind a name that is there."""
        return self._named[path]

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; what had it before loses it."""
        node = self._named.pop(old)
        self.unlink(new)
        self._named[new] = node

    def replace(self, path: str, data: bytes) -> None:
        """Put a file in place at once."""
        temporary = f"{dirname(path)}/.new"
        file = self.create(temporary)
        file.append(data)
        file.close()
        self.rename(temporary, path)

    def unlinked(self, node: Node) -> None:
        """Count one name or open file less."""
        node.links -= 1
        if not node.links:
            self._free.append(node.inode)

    def _inode(self) -> int:
        if self._free:
            return self._free.pop()
        self._next += 1
        return self._next


class MemoryStore:
    """A sink that takes each number of a source once, and tells what it has."""

    def __init__(self) -> None:
        """Begin empty."""
        self.batches: dict[tuple[str, int], Batch] = {}
        self.away: str | None = None
        """Why it does not answer; None where it does."""
        self.refuses: str | None = None

    def send(self, batch: Batch) -> None:
        """Take a batch, or a repeat of one without effect."""
        if self.away is not None:
            raise Unavailable(self.away)
        if self.refuses is not None:
            raise RemoteError(self.refuses)
        self.batches.setdefault((batch.source, batch.sequence), batch)

    def values(self, source: str) -> list[str]:
        """Return the values of a source, in the order of its numbers."""
        mine = sorted(number for owner, number in self.batches if owner == source)
        return [point.value for number in mine for point in self.batches[source, number].points]

    def outcome(self, source: str) -> str | None:
        """Return how a source said that it ended."""
        told = (batch.outcome for (owner, _), batch in self.batches.items() if owner == source)
        return next((outcome for outcome in told if outcome is not None), None)


class MemoryReporter:
    """Keeps what it is told."""

    def __init__(self) -> None:
        """Begin empty."""
        self.sentences: list[str] = []

    def tell(self, text: str) -> None:
        """Keep a sentence."""
        self.sentences.append(text)


def _stat(node: Node) -> FileStat:
    return FileStat(inode=node.inode, size=len(node.data), mtime=node.mtime)
