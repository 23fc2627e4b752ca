"""A log that rotates past its retention while nothing can be read: nothing is lost silently."""

from __future__ import annotations

import pytest

from collector.core.session import Session
from collector.streams import held_files
from tests.collector.pod_in_memory import LOG, Pod

KEPT = 3


def shift(pod: Pod) -> None:
    """Make room for `.1`; remove the oldest of the rotated files."""
    pod.files.unlink(f"{LOG}.{KEPT}")
    for number in range(KEPT - 1, 0, -1):
        if pod.files.stat(f"{LOG}.{number}"):
            pod.files.rename(f"{LOG}.{number}", f"{LOG}.{number + 1}")


def rotate(pod: Pod) -> None:
    """Rename the log."""
    shift(pod)
    pod.files.rename(LOG, f"{LOG}.1")


def write(pod: Pod, first: int, count: int = 10) -> None:
    for value in range(first, first + count):
        pod.log(f"loss={value}\n")


def look(pod: Pod, session: Session) -> None:
    """Let the collector take some steps while the store is away."""
    for _ in range(3):
        pod.clock.pass_by(session.step().most)


def outage() -> tuple[Pod, Session]:
    """Return a pod whose collector has stored the value 0, and whose store is away since then."""
    pod = Pod()
    pod.begin()
    write(pod, 0, 1)
    session = pod.collector(path=LOG)
    pod.run(session)
    pod.store.away = "the database restarts"
    return pod, session


def rotate_often(pod: Pod, session: Session, times: int, first: int) -> None:
    """Write ten values and rotate, so many times; the collector looks before and after."""
    for generation in range(times):
        write(pod, first + 10 * generation)
        look(pod, session)
        rotate(pod)
        look(pod, session)


def end(pod: Pod, session: Session) -> None:
    """End the trainer; the store is there again."""
    pod.store.away = None
    pod.end()
    pod.run_to_the_end(session)


def test_a_log_that_rotates_past_its_retention_while_the_store_is_away_loses_nothing() -> None:
    pod, session = outage()
    rotate_often(pod, session, 6, first=1)
    end(pod, session)
    assert pod.values() == [str(value) for value in range(61)]
    assert pod.outcome() == "succeeded"
    assert "missing" not in pod.log_text


def test_files_that_are_removed_between_two_looks_are_reported_as_a_gap() -> None:
    pod, session = outage()
    write(pod, 1)
    look(pod, session)
    for generation in range(1, 7):
        rotate(pod)
        write(pod, 1 + 10 * generation)
    look(pod, session)
    end(pod, session)
    kept = [*range(11), *range(31, 71)]
    assert pod.values() == [str(value) for value in kept]
    assert "metrics may be missing" in pod.log_text
    assert "removed before they could be opened" in pod.log_text
    assert b"removed before they could be opened" in session.summary()


def test_a_crash_during_the_outage_is_reported_as_a_gap() -> None:
    pod, session = outage()
    rotate_often(pod, session, 6, first=1)
    session.close()
    pod.store.away = None
    pod.end()
    again = pod.collector(path=LOG)
    pod.run_to_the_end(again)
    assert pod.values() == ["0", *(str(value) for value in range(31, 61))]
    assert "metrics may be missing" in pod.log_text


def test_files_of_the_next_attempt_stay_readable_while_the_last_one_is_not_stored() -> None:
    pod, session = outage()
    write(pod, 1)
    look(pod, session)
    pod.end(status=1)
    pod.begin(2)
    rotate_often(pod, session, 6, first=100)
    pod.store.away = None
    pod.end(2)
    for _ in range(400):
        pod.clock.pass_by(min(0.5, session.step().most))
    assert pod.values(1) == [str(value) for value in range(11)]
    assert pod.values(2) == [str(value) for value in range(100, 160)]
    assert "missing" not in pod.log_text


def test_copies_that_are_removed_while_the_store_is_away_are_still_read() -> None:
    pod, session = outage()
    for generation in range(6):
        write(pod, 1 + 10 * generation, 10 - generation)
        look(pod, session)
        shift(pod)
        pod.log((pod.files.read(LOG) or b"").decode(), f"{LOG}.1")
        pod.open(LOG).truncate(0)
        look(pod, session)
    end(pod, session)
    written = [value for g in range(6) for value in range(1 + 10 * g, 11 + 9 * g)]
    assert pod.values() == ["0", *map(str, written)]


def test_the_number_of_files_that_are_held_has_a_limit_which_the_log_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held_files, "MOST_FILES", 4)
    pod, session = outage()
    rotate_often(pod, session, 12, first=1)
    assert pod.log_text.count("held open until they are stored, which is the limit") == 1
    end(pod, session)
    values = pod.values()
    assert values[:41] == [str(value) for value in range(41)]
    assert values[-30:] == [str(value) for value in range(91, 121)]
    assert "removed before they could be opened" in pod.log_text


def test_nothing_is_held_open_after_the_files_are_stored() -> None:
    pod = Pod()
    pod.begin()
    session = pod.collector(path=LOG)
    for generation in range(6):
        write(pod, 10 * generation)
        pod.run(session)
        rotate(pod)
        pod.run(session)
    pod.end()
    pod.run_to_the_end(session)
    node = pod.files.node(f"{LOG}.3")
    pod.run(session)
    assert node.links == 1
    assert pod.values() == [str(value) for value in range(60)]
