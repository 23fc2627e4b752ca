"""The wait for changes: what ends it, and how soon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers.inotify import InotifyObserver

from collector.change_waiter import ChangeWaiter, WatchedDirectory, nearest_that_exists


@pytest.fixture
def wakeup(tmp_path: Path) -> Iterator[ChangeWaiter]:
    (tmp_path / "1").mkdir()
    watched = [WatchedDirectory(str(place), records=True) for place in (tmp_path, tmp_path / "1")]
    messages: list[str] = []
    made = ChangeWaiter(lambda: watched, messages.append)
    yield made
    made.close()
    assert not messages


def slept(
    wakeup: ChangeWaiter, least: float, most: float, meanwhile: Callable[[], object]
) -> float:
    """Return how many seconds it slept if `meanwhile` is called 0.2 s after the start."""
    wakeup.before_step()
    timer = threading.Timer(0.2, meanwhile)
    timer.start()
    begun = time.monotonic()
    wakeup.wait(least, most)
    timer.join()
    return time.monotonic() - begun


def test_without_changes_it_sleeps_for_the_whole_time(wakeup: ChangeWaiter) -> None:
    assert 0.5 <= slept(wakeup, 0.0, 0.5, lambda: None) < 5.0


@pytest.mark.parametrize("name", ["out-00000001", "1/out-00000001"])
def test_a_file_that_grows_ends_the_second_part(
    wakeup: ChangeWaiter, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()
    assert slept(wakeup, 0.0, 30.0, lambda: (tmp_path / name).write_text("x")) < 10.0


def test_a_file_that_grows_does_not_end_the_first_part(
    wakeup: ChangeWaiter, tmp_path: Path
) -> None:
    assert slept(wakeup, 1.0, 1.0, lambda: (tmp_path / "1" / "out").write_text("x")) >= 1.0


def test_the_record_of_an_end_ends_any_part(wakeup: ChangeWaiter, tmp_path: Path) -> None:
    def end() -> None:
        (tmp_path / "1" / "exit.new").write_text("x")
        (tmp_path / "1" / "exit.new").rename(tmp_path / "1" / "exit")

    assert slept(wakeup, 30.0, 30.0, end) < 10.0


def test_the_record_of_an_end_is_urgent_after_other_changes_too(
    wakeup: ChangeWaiter, tmp_path: Path
) -> None:
    segment, record = tmp_path / "1" / "out-00000001", tmp_path / "1" / "exit"
    for size in range(1, 4):
        assert slept(wakeup, 0.0, 30.0, lambda: segment.write_text("x" * size)) < 10.0  # noqa: B023
    assert slept(wakeup, 30.0, 30.0, lambda: record.write_text("x")) < 10.0


def test_files_with_other_names_do_not_end_the_second_part(tmp_path: Path) -> None:
    messages: list[str] = []
    wakeup = ChangeWaiter(lambda: [WatchedDirectory(str(tmp_path), "m", ".log")], messages.append)
    for name in ("other.log", "m.txt"):
        assert slept(wakeup, 0.0, 0.6, lambda: (tmp_path / name).write_text("x")) >= 0.6  # noqa: B023
    assert slept(wakeup, 0.0, 30.0, lambda: (tmp_path / "mnist.log").write_text("x")) < 10.0
    wakeup.close()


def test_a_file_that_changes_all_the_time_wakes_it_at_most_ten_times_a_second(
    wakeup: ChangeWaiter, tmp_path: Path
) -> None:
    over = threading.Event()

    def write() -> None:
        with (tmp_path / "1" / "out").open("wb", buffering=0) as file:
            while not over.is_set():
                file.write(b"x")

    writer = threading.Thread(target=write)
    writer.start()
    begun = time.monotonic()
    for _ in range(6):
        wakeup.before_step()
        wakeup.wait(0.0, 30.0)
    took = time.monotonic() - begun
    over.set()
    writer.join()
    assert 0.5 <= took < 30.0


def test_a_change_before_the_wait_ends_the_wait(wakeup: ChangeWaiter, tmp_path: Path) -> None:
    wakeup.before_step()
    (tmp_path / "1" / "out").write_text("x")
    begun = time.monotonic()
    wakeup.wait(0.0, 30.0)
    assert time.monotonic() - begun < 10.0


def test_a_wake_ends_any_part(wakeup: ChangeWaiter) -> None:
    assert slept(wakeup, 30.0, 30.0, wakeup.wake) < 10.0


def test_without_inotify_it_looks_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    messages: list[str] = []
    wakeup = ChangeWaiter(lambda: [WatchedDirectory(str(tmp_path))], messages.append)
    monkeypatch.setattr(InotifyObserver, "schedule", refuse)
    assert slept(wakeup, 0.0, 30.0, lambda: None) < 10.0
    assert slept(wakeup, 0.0, 30.0, lambda: None) < 10.0
    wakeup.close()
    [sentence] = messages
    assert "inotify watch limit reached" in sentence


def test_for_a_missing_directory_the_nearest_existing_one_is_watched(tmp_path: Path) -> None:
    assert nearest_that_exists(str(tmp_path / "a" / "b" / "c")) == str(tmp_path)
