"""The segments of a journal in the memory of a simulation."""

from __future__ import annotations

from collector.testing.memory import MemoryFile, MemoryFiles


class MemorySegments:
    """`SegmentFiles` in memory. What is written survives a crash of the writer."""

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files

    def sizes(self, directory: str) -> dict[str, int]:
        stats = {
            name: self._files.stat(f"{directory}/{name}") for name in self._files.names(directory)
        }
        return {name: stat.size for name, stat in stats.items() if stat is not None}

    def make_directory(self, directory: str) -> None:
        """Do nothing: in memory, each file has its directory."""

    def open(self, path: str) -> _Segment:
        return _Segment(self._files.create(path))


class _Segment:
    def __init__(self, file: MemoryFile) -> None:
        self._file = file

    def append(self, data: memoryview) -> int:
        self._file.append(bytes(data))
        return len(data)

    def force(self) -> None:
        """Do nothing: what is written is not lost."""

    def cut(self, size: int) -> None:
        self._file.truncate(size)

    def ends_with(self, data: bytes) -> bool:
        start = max(0, self._file.stat().size - len(data))
        return self._file.read_at(start, len(data)) == data

    def close(self) -> None:
        self._file.close()
