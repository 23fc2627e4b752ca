"""The files of a followed path, kept open so that they can be read after their names are removed.

While the store is away, nothing is read. Meanwhile a rotation may remove the oldest files. A file
that was opened before stays readable, as long as it is open; its bytes stay on the disk, so there
is a limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from collector.streams.files import FileStat, FileSystem, OpenFile
from collector.streams.rotated_files import Snapshot, snapshot

MOST_FILES = 64
MOST_BYTES = 1 << 30
"""The most files to hold, and the most bytes in them."""


@dataclass(slots=True)
class _Held:
    """A file that is kept open."""

    file: OpenFile
    after_lost: bool
    """Files between this one and the one before it may have been removed before they were seen."""


class HeldFiles:
    """Keeps the generations of a path open, from the first look at them until they are read."""

    def __init__(self, path: str, files: FileSystem, log: Callable[[str], None]) -> None:
        """Look at a path; `log` takes a sentence."""
        self._path = path
        self._files = files
        self._log = log
        self._held: dict[int, _Held] = {}
        """By inode, which no other file has while this one is open; the newest file last."""
        self._seen: FileStat | None = None
        """The file at the path at the last look that held all files."""
        self._full = False

    def look(self, wanted: Callable[[OpenFile], bool], newest: int | None) -> None:
        """Open the wanted files that are not held yet.

        Args:
            wanted: whether a file may have unread bytes.
            newest: the inode of the open file before all of them; it counts if no file is held.
        """
        at_path = self._files.stat(self._path)
        if not self._may_differ(at_path):
            return
        with self.snapshot() as generations:
            self._hold_new(generations, wanted, newest)
        self._seen = None if self._full else at_path

    def drop(self, wanted: Callable[[OpenFile], bool]) -> None:
        """Close the files that are read."""
        for inode, held in list(self._held.items()):
            if not wanted(held.file):
                held.file.close()
                del self._held[inode]

    def snapshot(self) -> Snapshot:
        """Return all files: those with a name, and those that were removed and are held."""
        return snapshot(self._files, self._path, [held.file for held in self._held.values()])

    def is_after_lost(self, file: OpenFile) -> bool:
        """Return whether files before this one may have been removed before they were seen."""
        held = self._held.get(file.stat().inode)
        return held is not None and held.after_lost

    def close(self) -> None:
        """Close all files."""
        self.drop(lambda _: False)
        self._seen = None

    def _may_differ(self, at_path: FileStat | None) -> bool:
        """Return whether there was a rotation since the last look, or a file was copied."""
        seen = self._seen
        if at_path is None or seen is None:
            return True
        same = at_path.inode == seen.inode and at_path.size >= seen.size
        self._seen = at_path if same else seen
        return not same

    def _hold_new(
        self, generations: Snapshot, wanted: Callable[[OpenFile], bool], newest: int | None
    ) -> None:
        """Hold what is new.

        A rotation removes the oldest files first. So while the newest file that was known has a
        name, no file after it was removed.
        """
        known = next(reversed(self._held), newest)
        new = [file for file in generations.in_order if self._is_new(file, wanted)]
        rotated = [file for file in new if file is not generations.at_path]
        after_lost = bool(rotated) and known is not None and known not in generations.named
        was_full, self._full = self._full, False
        for file in new:
            self._full = self._is_full()
            if self._full:
                break
            self._held[file.stat().inode] = _Held(file.duplicate(), after_lost)
            after_lost = False
        if self._full and not was_full:
            self._log(
                f"{self._path}: {len(self._held)} rotated files are held open until they are"
                " stored, which is the limit; files that are removed from now on may be lost"
            )

    def _is_new(self, file: OpenFile, wanted: Callable[[OpenFile], bool]) -> bool:
        return file.stat().inode not in self._held and wanted(file)

    def _is_full(self) -> bool:
        size = sum(held.file.stat().size for held in self._held.values())
        return len(self._held) >= MOST_FILES or size >= MOST_BYTES
