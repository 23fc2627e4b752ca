"""A pod whose points come by calls: a real journal on the disk, the rest in memory."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from api.names import OUTCOME_SUCCEEDED
from api.run_directory import AttemptRecord
from collector.core.no_launcher import NoLauncher
from collector.core.plan import CollectorPlan, Pause
from collector.core.ports import AttemptEnd, EchoOutput, Ports
from collector.core.session import Session
from collector.core.stop_rules import StopRules
from collector.disk_files import DiskFiles
from collector.journal.journal import Journal, JournalSizes
from collector.journal.segment_files import SegmentFiles
from collector.testing.memory import MemoryClock, MemoryLog, MemoryStore
from filters.extractor import extraction_spec
from filters.journal_finder import JournalPoint

SEGMENT = 256
"""Bytes of a segment: a few calls."""


class PushedPod(NoLauncher):
    """`collector.core.ports.Trainer`, and the collector beside it."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = str(state_dir)
        self.clock = MemoryClock()
        self.store = MemoryStore()
        self.log = MemoryLog()
        self.numbers = [1]
        self.ends: set[int] = set()
        self.stops: list[int] = []

    def started(self) -> Sequence[int]:
        return self.numbers

    def record(self, attempt: int) -> AttemptRecord | None:
        return AttemptRecord(number=attempt, started=0.0, file=None)

    def ended(self, attempt: int) -> AttemptEnd | None:
        return AttemptEnd(outcome=OUTCOME_SUCCEEDED) if attempt in self.ends else None

    def stop(self, attempt: int) -> bool:
        self.stops.append(attempt)
        return True

    def new_journal(
        self, most_undelivered: int = 1 << 20, segments: SegmentFiles | None = None
    ) -> Journal:
        """Return the journal as a collector that starts opens it."""
        return Journal(
            self.state_dir,
            self,
            self.clock,
            JournalSizes(segment_bytes=SEGMENT, most_undelivered=most_undelivered),
            segments,
        )

    def session(
        self, journal: Journal, rules: StopRules | None = None, echo: EchoOutput | None = None
    ) -> Session:
        plan = CollectorPlan(
            extraction=extraction_spec(["loss", "acc"]),
            run_dir=self.state_dir,
            journal=True,
            segment_bytes=SEGMENT,
            rules=rules,
        )
        ports = Ports(
            files=DiskFiles(),
            clock=self.clock,
            store=self.store,
            trainer=self,
            log=self.log,
            journal=journal,
            echo=echo,
        )
        return Session(plan, ports, random.Random(1))

    def run(self, session: Session, steps: int = 500) -> Pause:
        """Take steps until there is nothing to do."""
        pause = Pause()
        for _ in range(steps):
            pause = session.step()
            if pause.done is not None or pause.most >= 1.0:
                return pause
            self.clock.pass_by(pause.most)
        raise AssertionError("it never waits")

    def values(self, attempt: int = 1) -> list[str]:
        """Return the stored values of an attempt."""
        sources = dict.fromkeys(source for source, _ in self.store.batches)
        mine = [source for source in sources if source.endswith(f"-{attempt}")]
        return [value for source in mine for value in self.store.values(source)]


def loss(value: int) -> list[JournalPoint]:
    return [JournalPoint("loss", str(value), step=value)]
