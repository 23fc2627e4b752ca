"""The journal: a point that is accepted is stored once, and what is refused is never stored."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.errors import Unavailable
from api.timestamps import from_micros
from api.types import Comparison, ObjectiveType, StopRule
from collector.core.stop_rules import StopRules
from collector.journal.journal import Journal
from collector.journal.segment_files import DiskSegmentFiles
from collector.journal.segment_writer import SegmentWriter
from filters.journal_finder import JournalPoint
from tests.collector.journal.pushed_pod import SEGMENT, PushedPod, loss


class Shown:
    """The output of a collector."""

    def __init__(self) -> None:
        self.data = b""

    def room(self) -> int:
        return 1 << 20

    def write(self, data: bytes) -> None:
        self.data += data


class _Killed(BaseException):
    """The collector is killed here."""


@pytest.fixture
def pod(tmp_path: Path) -> PushedPod:
    return PushedPod(tmp_path)


@pytest.fixture
def journal(pod: PushedPod) -> Iterator[Journal]:
    journal = pod.new_journal()
    yield journal
    journal.close()


def test_an_accepted_point_is_stored_while_the_trainer_runs(
    pod: PushedPod, journal: Journal
) -> None:
    session = pod.session(journal)
    pod.run(session)
    journal.append(loss(1))
    journal.append([JournalPoint("acc", "0.9"), JournalPoint("lr", "0.1")])
    pod.run(session)
    assert pod.values() == ["1", "0.9"]
    session.close()


def test_a_point_is_on_the_disk_before_it_is_accepted(
    pod: PushedPod, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []

    def note(descriptor: int) -> None:
        synced.append(os.pread(descriptor, 1 << 20, 0))

    monkeypatch.setattr("collector.journal.segment_files.os.fdatasync", note)
    session = pod.session(journal)
    pod.run(session)
    journal.append(loss(1))
    assert b'["loss","1",1,' in synced[-1]
    session.close()


def test_a_point_keeps_its_time_or_has_the_time_at_which_it_was_accepted(
    pod: PushedPod, journal: Journal
) -> None:
    session = pod.session(journal)
    pod.run(session)
    journal.append([JournalPoint("loss", "1", timestamp="2026-01-02T03:04:05Z")])
    accepted = from_micros(pod.clock.micros())
    journal.append([JournalPoint("loss", "2")])
    pod.clock.pass_by(60)
    pod.run(session)
    [batch] = pod.store.batches.values()
    assert [point.timestamp for point in batch.points] == ["2026-01-02T03:04:05Z", accepted]
    session.close()


def test_no_point_is_accepted_before_a_training_begins(pod: PushedPod, journal: Journal) -> None:
    pod.numbers = []
    pod.run(pod.session(journal))
    with pytest.raises(Unavailable, match="no training runs"):
        journal.append(loss(1), wait=0.0)


def test_a_point_that_comes_before_its_training_is_seen_waits_for_it(
    pod: PushedPod, journal: Journal
) -> None:
    caller = threading.Thread(target=journal.append, args=(loss(1),))
    caller.start()
    session = pod.session(journal)
    pod.run(session)
    caller.join()
    pod.run(session)
    assert pod.values() == ["1"]
    session.close()


def test_no_point_is_accepted_after_the_training_has_ended(
    pod: PushedPod, journal: Journal
) -> None:
    session = pod.session(journal)
    pod.run(session)
    journal.append(loss(1))
    pod.ends.add(1)
    session.step()
    with pytest.raises(Unavailable, match="no training runs"):
        journal.append(loss(2), wait=0.0)
    pod.run(session)
    assert pod.values() == ["1"]


def test_a_point_of_a_second_attempt_is_not_lost_while_the_first_one_is_delivered(
    pod: PushedPod, journal: Journal
) -> None:
    session = pod.session(journal)
    pod.run(session)
    journal.append(loss(1))
    pod.ends.add(1)
    pod.numbers = [1, 2]
    journal.append(loss(2))
    pod.ends.add(2)
    pod.run(session)
    assert (pod.values(1), pod.values(2)) == (["1"], ["2"])


def test_a_collector_that_starts_after_the_end_accepts_nothing_for_that_attempt(
    pod: PushedPod, journal: Journal
) -> None:
    session = pod.session(journal)
    pod.run(session)
    journal.append(loss(1))
    pod.ends.add(1)
    pod.run(session)
    restarted = pod.new_journal()
    pod.session(restarted)
    with pytest.raises(Unavailable):
        restarted.append(loss(2), wait=0.0)
    restarted.close()


def test_stop_rules_see_pushed_points(pod: PushedPod, journal: Journal) -> None:
    rules = StopRules(
        rules=[StopRule(name="loss", value="5", comparison=Comparison.GREATER, start_step=0)],
        objective="loss",
        objective_type=ObjectiveType.MAXIMIZE,
    )
    session = pod.session(journal, rules)
    pod.run(session)
    journal.append(loss(4))
    pod.run(session)
    assert pod.stops == []
    journal.append(loss(6))
    pod.run(session)
    assert pod.stops == [1]
    session.close()


def test_the_disk_keeps_only_what_is_not_delivered(pod: PushedPod, journal: Journal) -> None:
    session = pod.session(journal)
    pod.run(session)
    for value in range(100):
        journal.append(loss(value))
        pod.run(session)
    assert len(list(Path(pod.state_dir, "journal", "1").iterdir())) <= 2
    assert pod.values() == [str(value) for value in range(100)]
    session.close()


def test_too_much_that_is_undelivered_is_refused_until_it_is_delivered(pod: PushedPod) -> None:
    journal = pod.new_journal(most_undelivered=4 * SEGMENT)
    session = pod.session(journal)
    pod.run(session)
    accepted = 0
    with contextlib.suppress(Unavailable):
        while accepted < 1000:
            journal.append(loss(accepted))
            accepted += 1
    with pytest.raises(Unavailable, match="wait for the DB manager"):
        journal.append(loss(accepted))
    pod.run(session)
    journal.append(loss(accepted))
    pod.run(session)
    assert pod.values() == [str(value) for value in range(accepted + 1)]
    session.close()
    journal.close()


def test_calls_of_many_threads_lose_no_point(pod: PushedPod, journal: Journal) -> None:
    session = pod.session(journal)
    pod.run(session)

    def push(worker: int) -> None:
        for value in range(50):
            journal.append(loss(100 * worker + value))

    workers = [threading.Thread(target=push, args=(worker,)) for worker in range(8)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    pod.run(session)
    assert sorted(map(int, pod.values())) == sorted(
        100 * worker + value for worker in range(8) for value in range(50)
    )
    session.close()


@pytest.mark.parametrize("seed", range(30))
def test_a_kill_at_any_write_loses_no_accepted_point(
    pod: PushedPod, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    write = os.write

    def torn(descriptor: int, data: memoryview) -> int:
        if dice.random() < 0.05:
            write(descriptor, data[: dice.randrange(len(data) + 1)])
            raise _Killed
        return write(descriptor, data)

    accepted, unanswered, value = [], [], 0
    for _ in range(6):
        journal = pod.new_journal()
        session = pod.session(journal)
        pod.run(session)
        with monkeypatch.context() as context:
            context.setattr("collector.journal.segment_files.os.write", torn)
            for _ in range(dice.randrange(40)):
                value += 1
                try:
                    journal.append(loss(value))
                    accepted.append(value)
                except _Killed:
                    unanswered.append(value)
                    break
        if dice.random() < 0.5:
            pod.run(session)
        journal.close()
        session.close()
    pod.ends.add(1)
    journal = pod.new_journal()
    pod.run(pod.session(journal))
    journal.close()
    stored = [int(text) for text in pod.values()]
    assert len(set(stored)) == len(stored)
    assert set(accepted) <= set(stored) <= set(accepted) | set(unanswered)


def test_the_lines_of_the_journal_are_not_copied_to_the_output(
    pod: PushedPod, journal: Journal
) -> None:
    shown = Shown()
    session = pod.session(journal, echo=shown)
    pod.run(session)
    journal.append(loss(1))
    pod.run(session)
    assert pod.values() == ["1"]
    assert shown.data == b""
    session.close()


def test_a_writer_continues_in_the_segment_before_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "points-00000001").write_bytes(b"[]\n")
    (tmp_path / "points-00000002").write_bytes(b"")
    writer = SegmentWriter(str(tmp_path), 8, DiskSegmentFiles())
    writer.append(b"[1,2]\n")
    writer.close()
    assert (tmp_path / "points-00000001").read_bytes() == b"[]\n[1,2]"
    assert (tmp_path / "points-00000002").read_bytes() == b"\n"


def test_a_writer_continues_behind_a_full_segment_that_was_removed(tmp_path: Path) -> None:
    writer = SegmentWriter(str(tmp_path), 8, DiskSegmentFiles())
    writer.append(b"[1,2,3]\n")
    writer.close()
    (tmp_path / "points-00000001").unlink()
    again = SegmentWriter(str(tmp_path), 8, DiskSegmentFiles())
    again.append(b"[4]\n")
    again.close()
    assert (tmp_path / "points-00000002").read_bytes() == b"\n[4]\n"
