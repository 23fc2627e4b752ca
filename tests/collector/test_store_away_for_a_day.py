"""The store is away for 24 hours of a simulated clock: no row is lost, and nothing grows with it."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from api.names import CHECKPOINT_FILE
from collector.core.session import Session
from collector.streams.held_files import MOST_FILES
from collector.testing.memory import MemoryFile
from tests.collector.pod_in_memory import LOG, RUN, Pod

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
KEPT = 3
"""Rotated files."""


@dataclass
class Outage:
    """A trainer that prints once a minute for a day, and the collector beside it."""

    path: str
    pod: Pod = field(default_factory=Pod)
    session: Session = field(init=False)
    printed: list[str] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    """What Python has in memory at the end of each hour, without the rows of the test."""
    most_open: int = 0

    def __post_init__(self) -> None:
        self.session = self.pod.collector(path=self.path)

    def restart(self) -> None:
        """Kill the collector, and start it again."""
        self.session.close()
        self.session = self.pod.collector(path=self.path)

    def train_for_a_day(self, each_hour: Callable[[int], None]) -> None:
        for hour in range(24):
            for _ in range(60):
                self._print()
                self._pass_by(MINUTE)
            each_hour(hour)
            gc.collect()
            self.objects.append(len(gc.get_objects()))

    def rotate(self, _: int) -> None:
        """Rename the file as logrotate does; only three old ones keep a name."""
        files = self.pod.files
        files.unlink(f"{LOG}.{KEPT}")
        for number in range(KEPT - 1, 0, -1):
            if files.stat(f"{LOG}.{number}") is not None:
                files.rename(f"{LOG}.{number}", f"{LOG}.{number + 1}")
        files.rename(LOG, f"{LOG}.1")

    def _print(self) -> None:
        value = str(len(self.printed) + 1)
        self.printed.append(value)
        line = f"2026-01-31 step {value} loss={value}\n"
        if self.path:
            self.pod.log(line, self.path)
        else:
            self.pod.print(line)

    def _pass_by(self, seconds: float) -> None:
        """Let the collector take the steps that it asks for."""
        until = self.pod.clock.monotonic() + seconds
        while (left := until - self.pod.clock.monotonic()) > 0:
            pause = self.session.step()
            self.most_open = max(self.most_open, opened())
            assert pause.done is None
            self.pod.clock.pass_by(min(left, max(pause.most, 0.01)))

    def checkpoint_bytes(self) -> int:
        text = self.pod.files.read(f"{RUN}/{CHECKPOINT_FILE}")
        assert text is not None
        json.loads(text)
        return len(text)


class Opened:
    """Counts the files that are open."""

    now = 0


@pytest.fixture(autouse=True)
def counted_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    begin, close = MemoryFile.__init__, MemoryFile.close

    def counting(file: MemoryFile, *given: object) -> None:
        begin(file, *given)  # type: ignore[arg-type]  # as they were given
        Opened.now += 1

    def counting_close(file: MemoryFile) -> None:
        Opened.now -= not file.closed
        close(file)

    monkeypatch.setattr(MemoryFile, "__init__", counting)
    monkeypatch.setattr(MemoryFile, "close", counting_close)
    Opened.now = 0
    yield
    assert Opened.now == 0


def opened() -> int:
    return Opened.now


def check_bounds(outage: Outage) -> None:
    """Check that a day without the store costs as little as an hour."""
    pod = outage.pod
    assert outage.objects[-1] - outage.objects[0] < 1_000
    assert outage.most_open <= MOST_FILES
    assert outage.checkpoint_bytes() < 4_096
    # A try each 5 to 15 seconds, and a sentence a minute.
    assert sum(pod.store.tries.values()) <= DAY / 5
    assert len(pod.messages.sentences) <= DAY / MINUTE + 10
    assert pod.store.batches == {}


def check_delivery(outage: Outage) -> None:
    """End the training, and check that the store has each row once, in order."""
    pod = outage.pod
    pod.store.away = None
    pod.end()
    for _ in range(100):
        pod.run(outage.session)
        pod.clock.pass_by(10.0)
        if pod.heard[-1] == "1 delivered":
            break
    outage.session.close()

    [source] = {owner for owner, _ in pod.store.batches}
    assert pod.store.values(source) == outage.printed
    assert pod.store.outcome(source) == "succeeded"
    assert pod.heard[-1] == "1 delivered"
    assert not [text for text in pod.messages.sentences if "may be missing" in text]


def test_a_file_that_rotates_past_its_retention_loses_no_row() -> None:
    outage = Outage(LOG)
    outage.pod.store.away = "no answer"
    outage.pod.begin()
    outage.train_for_a_day(outage.rotate)

    assert outage.pod.files.stat(f"{LOG}.{KEPT + 1}") is None
    check_bounds(outage)
    check_delivery(outage)


def test_the_output_of_a_trainer_loses_no_row_though_the_collector_is_killed_meanwhile() -> None:
    outage = Outage("")
    outage.pod.store.away = "no answer"
    outage.pod.begin()
    outage.train_for_a_day(lambda hour: outage.restart() if hour in {5, 17} else None)

    check_bounds(outage)
    check_delivery(outage)
