"""What a simulated trainer pushes, and how the journal of the collector answers."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from api.errors import Unavailable
from collector.journal.journal import Journal, PerhapsAccepted
from collector.journal.segment_files import SegmentFiles
from collector.testing.memory import MemoryFiles
from filters.journal_finder import JournalPoint
from tests.collector.journal.faulty_segments import FaultySegments
from tests.collector.journal.memory_segments import MemorySegments


@dataclass(slots=True)
class Pushes:
    """The calls of a whole trial; each pushes one value that nothing else has."""

    dice: random.Random
    journal: Journal | None = None
    """The journal of the collector that runs now."""
    accepted: dict[str, int] = field(default_factory=dict)
    """By value, the attempt that pushed it."""
    refused: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    """The collector died during the call, or its answer says that the value may be stored."""
    count: int = 0

    def disk(self, files: MemoryFiles, crash: Callable[[], None]) -> SegmentFiles:
        """Return the files of a journal on a disk that fails now and then; `crash` may raise."""

        def happen(operation: str) -> None:
            crash()
            if operation != "sizes" and self.dice.random() < 0.015:
                raise OSError(self.dice.choice((errno.EIO, errno.ENOSPC)), operation)

        return FaultySegments(MemorySegments(files), happen)

    def push(self, attempt: int) -> str:
        """Push one value; return what happened."""
        assert self.journal is not None
        self.count += 1
        value = f"{self.count}.25"
        try:
            self.journal.append([JournalPoint("m", value, self.count)], wait=0.0)
        except PerhapsAccepted:
            self.unanswered.append(value)
            return f"may have pushed {value}"
        except Unavailable as refusal:
            self.refused.append(value)
            return f"cannot push {value}: {refusal}"
        except BaseException:
            self.unanswered.append(value)
            raise
        self.accepted[value] = attempt
        return f"pushed {value}"

    def faults(self, stored: Mapping[str, list[int]], at_katibs: frozenset[str]) -> Iterator[str]:
        """Yield what is wrong with the stored values, which have the attempts of each.

        Katib's DB manager may have some of the accepted values in place of the other one.
        """
        for value, attempt in self.accepted.items():
            attempts = stored.get(value, [])
            if attempts != [attempt] and (attempts or value not in at_katibs):
                yield f"{value} was accepted of attempt {attempt}, and is stored of {attempts}"
        for value in self.refused:
            if value in stored or value in at_katibs:
                yield f"{value} was refused, and is stored"
        for value in self.unanswered:
            if len(stored.get(value, [])) > 1:
                yield f"{value} is stored more than once"

    def without_these(self, stored: Mapping[str, list[int]]) -> dict[str, list[int]]:
        """Return the stored values that were not pushed."""
        pushed = {*self.accepted, *self.refused, *self.unanswered}
        return {value: of for value, of in stored.items() if value not in pushed}
