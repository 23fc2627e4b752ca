"""A call that is refused is never stored, whatever the disk has done with a part of it."""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.errors import Unavailable
from collector.core.session import Session
from collector.journal.journal import PerhapsAccepted
from collector.journal.segment_files import DiskSegmentFiles
from filters.journal_finder import JournalPoint
from tests.collector.journal.faulty_segments import FaultySegments, Happen
from tests.collector.journal.pushed_pod import SEGMENT, PushedPod, loss


class _Killed(BaseException):
    """The collector is killed here."""


class Collector:
    """A collector of the pod; before an operation of its disk, `happen` is called."""

    def __init__(self, pod: PushedPod) -> None:
        self.breaks()
        segments = FaultySegments(DiskSegmentFiles(), self._before)
        self.pod, self.journal = pod, pod.new_journal(segments=segments)
        self.session: Session = pod.session(self.journal)
        self.collect()

    def breaks(self, *operations: str) -> None:
        """Let these operations fail from now on."""

        def fail(operation: str) -> None:
            if operation in operations:
                raise OSError(errno.EIO, operation)

        self.happen: Happen = fail

    def _before(self, operation: str) -> None:
        self.happen(operation)

    def collect(self) -> list[str]:
        """Deliver all that can be read; return what is stored."""
        self.pod.run(self.session)
        return self.pod.values()

    def close(self) -> None:
        self.session.close()
        self.journal.close()


@pytest.fixture
def pod(tmp_path: Path) -> PushedPod:
    return PushedPod(tmp_path)


@pytest.fixture
def collector(pod: PushedPod) -> Iterator[Collector]:
    collector = Collector(pod)
    yield collector
    collector.close()


@pytest.mark.parametrize("operation", ["append", "force"])
def test_a_call_that_the_disk_does_not_take_is_never_stored(
    collector: Collector, operation: str
) -> None:
    collector.journal.append(loss(1))
    collector.breaks(operation)
    with pytest.raises(Unavailable, match="cannot be written: Input/output error"):
        collector.journal.append(loss(2))
    assert collector.collect() == ["1"]
    collector.breaks()
    collector.journal.append(loss(3))
    assert collector.collect() == ["1", "3"]


def test_nothing_is_read_before_it_is_accepted(collector: Collector) -> None:
    seen = []

    def look(operation: str) -> None:
        if operation == "force":
            seen.append(collector.collect())
            raise OSError(errno.EIO, "it fails after the reader has looked")

    collector.happen = look
    with pytest.raises(Unavailable):
        collector.journal.append(loss(1))
    assert seen == [[]]
    assert collector.collect() == []


def test_a_call_that_fills_several_segments_is_stored_whole_or_never(collector: Collector) -> None:
    forced = 0

    def fail_at_third_segment(operation: str) -> None:
        nonlocal forced
        forced += operation == "force"
        if operation == "force" and forced == 3:
            raise OSError(errno.ENOSPC, "the disk is full")

    long = [JournalPoint("loss", str(value)) for value in range(100, 150)]
    assert len(long) * 20 > 3 * SEGMENT
    collector.journal.append(loss(1))
    collector.happen = fail_at_third_segment
    with pytest.raises(Unavailable, match="No space left"):
        collector.journal.append(long)
    collector.journal.append(loss(2))
    collector.journal.append(long)
    assert collector.collect() == ["1", "2", *(point.value for point in long)]


def test_where_a_call_cannot_be_removed_the_answer_says_that_it_may_be_stored(
    collector: Collector,
) -> None:
    collector.journal.append(loss(1))
    collector.breaks("force", "cut")
    with pytest.raises(PerhapsAccepted):
        collector.journal.append(loss(2))
    with pytest.raises(Unavailable) as second:
        collector.journal.append(loss(3))
    assert not isinstance(second.value, PerhapsAccepted)
    assert collector.collect() == ["1"]
    collector.breaks()
    collector.journal.append(loss(4))
    assert collector.collect() == ["1", "4"]


def test_what_may_be_stored_is_stored_once_after_a_restart(
    pod: PushedPod, collector: Collector
) -> None:
    collector.breaks("force", "cut")
    with pytest.raises(PerhapsAccepted):
        collector.journal.append(loss(1))
    restarted = Collector(pod)
    restarted.journal.append(loss(2))
    assert restarted.collect() == ["1", "2"]
    restarted.close()


@pytest.mark.parametrize("seed", range(12))
def test_of_all_faults_and_kills_none_lets_a_refused_call_be_stored(
    pod: PushedPod, seed: int
) -> None:
    dice = random.Random(seed)
    accepted: list[str] = []
    unanswered: list[str] = []
    number = 0
    for _ in range(8):
        collector = Collector(pod)
        collector.happen = _hazards(dice, collector)
        for _ in range(dice.randrange(60)):
            number += 1
            call = _call(number, is_long=dice.random() < 0.1)
            values = [point.value for point in call if point.name == "loss"]
            try:
                collector.journal.append(call, wait=0.0)
                accepted += values
            except PerhapsAccepted:
                unanswered += values
            except Unavailable:
                continue
            except _Killed:
                unanswered += values
                break
        collector.close()
    pod.ends.add(1)
    collector = Collector(pod)
    collector.close()
    stored = list(map(int, pod.values()))
    assert stored == sorted(set(stored))
    assert accepted
    assert set(map(int, accepted)) <= set(stored) <= set(map(int, accepted + unanswered))


def _hazards(dice: random.Random, collector: Collector) -> Happen:
    """Return what lets the reader work, the disk fail, and the collector die, at any operation."""

    def happen(operation: str) -> None:
        if dice.random() < 0.2:
            collector.collect()
        fate = dice.random()
        if fate < 0.01:
            raise _Killed
        if fate < (0.03 if operation == "cut" else 0.06):
            raise OSError(dice.choice((errno.EIO, errno.ENOSPC)), operation)

    return happen


def _call(number: int, *, is_long: bool) -> list[JournalPoint]:
    """Return a call; the first and the last point of a long one are in different segments."""
    between = [JournalPoint("other", "0")] * 12
    return [*loss(10 * number), *between, *loss(10 * number + 1)] if is_long else loss(10 * number)
