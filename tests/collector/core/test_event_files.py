"""Sessions that follow a directory of event files, in memory."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from api.errors import SetupError
from collector.core.session import Session
from collector.streams import event_directory
from collector.streams.event_file import EventFile
from collector.streams.stream_position import StreamPosition
from filters.extractor import Position
from filters.lines import LinePosition
from tests.collector.pod_in_memory import Pod
from tests.filters.event_files.event_writer import beginning, framed, scalar

LOG = "/log"
_FILE, _OTHER = f"{LOG}/events.out.tfevents.1", f"{LOG}/kept/events.out.tfevents.1"


class EventPod(Pod):
    """A pod whose trainer writes event files."""

    def follow(self) -> Session:
        return self.collector(events=LOG)

    def write(self, *records: bytes, path: str = _FILE) -> None:
        """Append records; a new file begins with its version."""
        file = self.files.create(path)
        if not file.stat().size:
            file.append(beginning(self.clock.micros() / 1e6))
        for record in records:
            file.append(record)
        file.close()
        self.clock.pass_by(0.3)


@pytest.fixture
def pod() -> EventPod:
    return EventPod()


def test_files_and_directories_are_followed_as_they_appear(pod: EventPod) -> None:
    pod.begin()
    session = pod.follow()
    pod.run(session)
    pod.write(scalar("loss", 1))
    pod.run(session)
    assert pod.values() == ["1.0"]
    pod.write(scalar("loss", 2), path=f"{LOG}/train/deep/events.out.tfevents.2")
    pod.write(scalar("loss", 3))
    pod.run(session)
    assert sorted(pod.values()) == ["1.0", "2.0", "3.0"]
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert pod.outcome() == "succeeded"


def test_a_point_has_the_wall_time_and_the_step_of_its_event(pod: EventPod) -> None:
    pod.begin()
    pod.write(scalar("loss", 1, step=400, at=1_763_950_000.5))
    session = pod.follow()
    pod.run(session)
    session.close()
    (point,) = (point for batch in pod.store.batches.values() for point in batch.points)
    assert point.timestamp == "2025-11-24T02:06:40.5Z"
    assert point.step == 400


def test_a_metric_with_a_directory_is_found_in_the_files_of_that_directory(pod: EventPod) -> None:
    pod.begin()
    pod.write(scalar("loss", 1), path=f"{LOG}/train/tfevents.1")
    pod.write(scalar("loss", 2), path=f"{LOG}/eval/tfevents.1")
    plan = pod.collector(events=f"{LOG}/eval")
    pod.run(plan)
    plan.close()
    assert pod.values() == ["2.0"]


def test_a_file_in_parts_is_delivered_once_over_a_crash(pod: EventPod) -> None:
    pod.begin()
    session = pod.follow()
    record = scalar("loss", 2)
    pod.write(scalar("loss", 1), record[:20])
    pod.run(session)
    session.close()
    again = pod.follow()
    pod.write(record[20:])
    pod.run(again)
    again.close()
    assert pod.values() == ["1.0", "2.0"]


def test_files_from_before_the_training_are_left_alone_and_logged(pod: EventPod) -> None:
    pod.write(scalar("loss", 9), path=f"{LOG}/old.tfevents")
    pod.begin()
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.run(session)
    session.close()
    assert pod.values() == ["1.0"]
    assert pod.log_text.count("/log/old.tfevents is not read: it began before this training") == 1


def test_the_files_of_two_attempts_are_kept_apart(pod: EventPod) -> None:
    pod.begin(1)
    pod.write(scalar("loss", 1))
    pod.end(1, status=1)
    pod.begin(2)
    pod.write(scalar("loss", 2), path=f"{LOG}/events.out.tfevents.2")
    pod.end(2)
    session = pod.follow()
    pod.run_to_the_end(session)
    pod.run_to_the_end(session)
    session.close()
    assert pod.values(1) == ["1.0"]
    assert pod.values(2) == ["2.0"]


@pytest.mark.parametrize("crash", [False, True])
def test_a_file_from_before_the_training_that_takes_the_name_of_another_is_left_alone(
    pod: EventPod, *, crash: bool
) -> None:
    pod.write(scalar("loss", 9), path=f"{LOG}/old.tfevents")
    pod.begin()
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.files.rename(f"{LOG}/old.tfevents", _FILE)
    if crash:
        session.close()
        session = pod.follow()
    pod.run(session)
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert pod.values() == ["1.0"]


def test_a_file_that_the_next_attempt_has_only_just_begun_is_no_gap(pod: EventPod) -> None:
    pod.begin(1)
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.end(1, status=1)
    pod.begin(2)
    second = pod.open(f"{LOG}/events.out.tfevents.2")
    whole = beginning(pod.clock.micros() / 1e6) + scalar("loss", 2)
    second.append(whole[:10])
    pod.run_to_the_end(session)
    second.append(whole[10:])
    pod.end(2)
    pod.run_to_the_end(session)
    session.close()
    assert (pod.values(1), pod.values(2)) == (["1.0"], ["2.0"])
    assert "metrics may be missing" not in pod.log_text


def test_a_file_that_the_next_attempt_writes_over_is_the_next_attempts(pod: EventPod) -> None:
    pod.begin(1)
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.end(1, status=1)
    pod.begin(2)
    pod.open(_FILE).truncate(0)
    pod.write(scalar("loss", 2))
    pod.end(2)
    pod.run_to_the_end(session)
    pod.run_to_the_end(session)
    session.close()
    assert pod.values(1) == ["1.0"]
    assert pod.values(2) == ["2.0"]


def test_a_file_that_is_no_event_file_is_logged_once(pod: EventPod) -> None:
    pod.begin()
    for path in ("a.tfevents", "model.ckpt", "1.pid"):
        pod.log("loss=3 is not a record", path=f"{LOG}/{path}")
    session = pod.follow()
    pod.run(session)
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert pod.log_text.count("/log/a.tfevents is not read: it is not an event file") == 1
    assert "model.ckpt" not in pod.log_text


def test_damage_is_a_gap_in_the_log_and_in_the_summary(pod: EventPod) -> None:
    bad = bytearray(scalar("loss", 2))
    bad[-1] ^= 1
    pod.begin()
    pod.write(scalar("loss", 1), bytes(bad), scalar("loss", 3), scalar("loss", 4)[:-2])
    session = pod.follow()
    pod.run(session)
    pod.end()
    pod.run_to_the_end(session)
    gaps = json.loads(session.summary())["gaps"]
    session.close()
    assert pod.values() == ["1.0", "3.0"]
    assert [gap.rpartition(": ")[2] for gap in gaps] == [
        "the checksum of a record does not fit",
        "the file ends within a record",
    ]
    assert "metrics may be missing: /log/events.out.tfevents.1, file 1" in pod.log_text


def test_a_deleted_file_is_read_to_its_end(pod: EventPod) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.write(scalar("loss", 2))
    pod.files.unlink(_FILE)
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert pod.values() == ["1.0", "2.0"]


def test_a_file_that_was_deleted_during_a_crash_is_a_gap(pod: EventPod) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    session.close()
    pod.files.unlink(_FILE)
    pod.end()
    again = pod.follow()
    pod.run_to_the_end(again)
    again.close()
    assert pod.values() == ["1.0"]
    assert "it was deleted before it was read to its end" in pod.log_text


@pytest.mark.parametrize("crash", [False, True])
def test_a_renamed_file_is_read_on_under_its_new_name(pod: EventPod, *, crash: bool) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.files.rename(_FILE, _OTHER)
    pod.write(scalar("loss", 2), path=_OTHER)
    if crash:
        session.close()
        session = pod.follow()
    pod.run(session)
    pod.write(scalar("loss", 3), path=_OTHER)
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert pod.values() == ["1.0", "2.0", "3.0"]
    assert "metrics may be missing" not in pod.log_text


@pytest.mark.parametrize("crash", [False, True])
def test_a_file_with_two_names_is_read_once(pod: EventPod, *, crash: bool) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    pod.files.link(_FILE, _OTHER)
    session = pod.follow()
    pod.run(session)
    if crash:
        session.close()
        session = pod.follow()
    pod.write(scalar("loss", 2))
    pod.run(session)
    pod.files.unlink(_FILE)
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert pod.values() == ["1.0", "2.0"]


@pytest.mark.parametrize("crash", [False, True])
def test_a_renamed_file_is_read_once_when_a_new_one_has_its_name(
    pod: EventPod, *, crash: bool
) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.write(scalar("loss", 2))
    pod.files.rename(_FILE, _OTHER)
    pod.write(scalar("loss", 3))
    for _ in range(2):
        pod.run(session)
        if crash:
            session.close()
            session = pod.follow()
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert pod.values() == ["1.0", "2.0", "3.0"]


@pytest.mark.parametrize("crash", [False, True])
def test_a_file_that_is_renamed_over_another_one_is_read_once(
    pod: EventPod, *, crash: bool
) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    pod.write(scalar("loss", 2), path=_OTHER)
    session = pod.follow()
    pod.run(session)
    pod.files.rename(_FILE, _OTHER)
    if crash:
        session.close()
        session = pod.follow()
    pod.run(session)
    pod.write(scalar("loss", 3), path=_OTHER)
    pod.run(session)
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert sorted(pod.values()) == ["1.0", "2.0", "3.0"]


@pytest.mark.parametrize("crash", [False, True])
def test_two_files_that_exchange_their_names_are_read_once(pod: EventPod, *, crash: bool) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    pod.write(scalar("loss", 2), path=_OTHER)
    session = pod.follow()
    pod.run(session)
    pod.files.rename(_FILE, f"{LOG}/aside")
    pod.files.rename(_OTHER, _FILE)
    pod.files.rename(f"{LOG}/aside", _OTHER)
    if crash:
        session.close()
        session = pod.follow()
    pod.write(scalar("loss", 3))
    pod.write(scalar("loss", 4), path=_OTHER)
    pod.run(session)
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert sorted(pod.values()) == ["1.0", "2.0", "3.0", "4.0"]
    assert "metrics may be missing" not in pod.log_text


def test_a_file_that_gets_its_name_back_is_not_read_from_its_start(pod: EventPod) -> None:
    pod.write(scalar("loss", 1))
    stream = EventFile(_FILE, pod.files)
    chunk = stream.read(StreamPosition(), 1_000, over=False)
    read = Position(lines=LinePosition(offset=len(chunk.data)))
    position = chunk.start.advanced(read, chunk.before, chunk.data)
    again = stream.read(replace(position, sealed=True), 1_000, over=False)
    stream.close()
    assert again.start == position


def test_a_file_that_is_renamed_during_the_first_look_after_a_crash_is_read_on(
    pod: EventPod, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.write(scalar("loss", 2))
    session.close()
    names = pod.files.names

    def then_renamed(directory: str) -> list[str]:
        listed = names(directory)
        if directory == LOG and pod.files.stat(_FILE) is not None:
            pod.files.rename(_FILE, _OTHER)
        return listed

    monkeypatch.setattr(pod.files, "names", then_renamed)
    pod.end()
    session = pod.follow()
    pod.run_to_the_end(session)
    session.close()
    assert pod.values() == ["1.0", "2.0"]
    assert "metrics may be missing" not in pod.log_text


def test_a_file_that_is_renamed_between_its_listing_and_its_opening_is_read_on(
    pod: EventPod, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.write(scalar("loss", 2))
    session.close()
    pod.files.rename(_FILE, _OTHER)
    names = pod.files.names

    def then_renamed(directory: str) -> list[str]:
        listed = names(directory)
        if directory in _OTHER and pod.files.stat(_OTHER) is not None and len(listed) == 1:
            pod.files.rename(_OTHER, f"{LOG}/events.out.tfevents.2")
        return listed

    monkeypatch.setattr(pod.files, "names", then_renamed)
    session = pod.follow()
    pod.run(session)
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert pod.values() == ["1.0", "2.0"]
    assert "metrics may be missing" not in pod.log_text


def test_a_file_that_takes_the_name_of_a_finished_one_after_the_end_is_a_gap(
    pod: EventPod,
) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    pod.write(scalar("loss", 2), path="/elsewhere/tfevents")
    pod.end()
    pod.store.away = "it is down"
    pod.run(session, steps=20)
    pod.files.rename("/elsewhere/tfevents", _FILE)
    for _ in range(2):
        pod.run(session, steps=20)
        session.close()
        session = pod.follow()
    pod.store.away = None
    pod.run_to_the_end(session)
    gaps = json.loads(session.summary())["gaps"]
    session.close()
    assert pod.values() == ["1.0"]
    why = "it took the name of a file that was read to its end, after the end of the training"
    assert gaps == [f"{_FILE}, file 2: byte 0 to its unknown end: {why}"]


def test_a_renamed_directory_is_read_once_after_the_end(pod: EventPod) -> None:
    pod.begin()
    pod.write(scalar("loss", 1), path=f"{LOG}/running/events.out.tfevents.1")
    session = pod.follow()
    pod.run(session)
    pod.end()
    pod.files.rename(f"{LOG}/running/events.out.tfevents.1", f"{LOG}/done/events.out.tfevents.1")
    pod.run_to_the_end(session)
    session.close()
    assert pod.values() == ["1.0"]


def test_files_of_two_volumes_are_both_read_although_their_inodes_are_equal(pod: EventPod) -> None:
    pod.begin()
    pod.write(scalar("loss", 1))
    pod.write(scalar("loss", 2), path=_OTHER)
    pod.files.node(_OTHER).inode = pod.files.node(_FILE).inode
    session = pod.follow()
    pod.run(session)
    session.close()
    assert sorted(pod.values()) == ["1.0", "2.0"]


def test_without_any_event_file_the_summary_says_so(pod: EventPod) -> None:
    pod.begin()
    session = pod.follow()
    pod.run(session)
    pod.end()
    pod.run_to_the_end(session)
    assert json.loads(session.summary())["missing_file"] == "/log/*tfevents*"
    session.close()
    assert pod.values() == ["unavailable"]


def test_what_is_not_read_yet_is_in_the_summary(pod: EventPod) -> None:
    pod.begin()
    session = pod.follow()
    session.step()
    pod.store.away = "away"
    pod.write(scalar("loss", 0.25))
    assert json.loads(session.summary())["metrics"]["loss"]["last"] == "0.25"
    session.close()


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ("MOST_FILES", "the training has more than 2 event files, which is the limit"),
        ("MOST_DIRECTORIES", "there are more than 2 directories, which is the limit"),
    ],
)
def test_more_than_the_limit_is_one_gap_also_after_a_crash(
    pod: EventPod, monkeypatch: pytest.MonkeyPatch, limit: str, why: str
) -> None:
    monkeypatch.setattr(event_directory, limit, 2)
    pod.begin()
    pod.write(scalar("loss", 0))
    for number in range(1, 4):
        pod.write(scalar("loss", number), path=f"{LOG}/{number}/tfevents")
    for _ in range(2):
        session = pod.follow()
        pod.run(session)
        session.close()
    session = pod.follow()
    pod.end()
    pod.run_to_the_end(session)
    gaps = json.loads(session.summary())["gaps"]
    session.close()
    assert sorted(pod.values()) == ["0.0", "1.0"]
    assert gaps == [f"/log, file 1: byte 0 to its unknown end: {why}"]


@pytest.mark.parametrize("directory", [f"{LOG}/lost+found", LOG])
def test_a_directory_that_cannot_be_listed_is_left_alone_below_that_of_the_metrics(
    pod: EventPod, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    names = pod.files.names

    def refused(listed: str) -> list[str]:
        if listed == directory:
            raise SetupError(f"cannot list {listed} as user 1000: Permission denied")
        return names(listed)

    monkeypatch.setattr(pod.files, "names", refused)
    pod.begin()
    pod.write(scalar("loss", 9), path=f"{LOG}/lost+found/tfevents.1")
    pod.write(scalar("loss", 1), path=f"{LOG}/train/tfevents.1")
    session = pod.follow()
    if directory == LOG:
        with pytest.raises(SetupError, match="cannot list /log as user 1000"):
            pod.run(session)
        session.close()
        return
    pod.run(session)
    pod.end()
    pod.run_to_the_end(session)
    session.close()
    assert pod.values() == ["1.0"]
    assert pod.log_text.count("/log/lost+found is not read: cannot list /log/lost+found as") == 1


def test_a_file_whose_first_event_has_no_time_counts_by_its_last_write(pod: EventPod) -> None:
    pod.begin()
    file = pod.open(_FILE)
    file.append(framed(b"\x1a\x0dbrain.Event:2") + scalar("loss", 1))
    session = pod.follow()
    pod.run(session)
    session.close()
    assert pod.values() == ["1.0"]
