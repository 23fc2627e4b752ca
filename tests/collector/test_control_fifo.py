"""The launcher's control FIFO: whole lines to a launcher, and no wait for a dead or busy one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collector.control_fifo import ControlFifo


@pytest.fixture
def control(tmp_path: Path) -> Path:
    path = tmp_path / "attempts" / "1" / "control"
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    return path


def test_a_launcher_reads_whole_lines(tmp_path: Path, control: Path) -> None:
    launcher = os.open(control, os.O_RDONLY | os.O_NONBLOCK)
    fifo = ControlFifo(str(tmp_path))
    assert fifo.alive(1)
    assert fifo.following(1)
    assert fifo.stop(1)
    assert fifo.delivered(1, None)
    assert fifo.delivered(1, "bad\nflag " + "x" * 5000)
    said = os.read(launcher, 65536).decode()
    os.close(launcher)
    assert said.startswith("following\nstop\ndelivered ok\ndelivered gave-up: bad flag xxx")
    assert said.count("\n") == 4
    assert len(said) < 2000


def test_without_a_launcher_each_message_returns_false(tmp_path: Path, control: Path) -> None:
    assert control.exists()
    fifo = ControlFifo(str(tmp_path))
    assert not fifo.alive(1)
    assert not fifo.following(1)
    assert not fifo.delivered(2, None), "an attempt without a FIFO"


def test_a_launcher_that_does_not_read_does_not_block_the_collector(
    tmp_path: Path, control: Path
) -> None:
    launcher = os.open(control, os.O_RDONLY | os.O_NONBLOCK)
    for _ in range(10_000):
        assert ControlFifo(str(tmp_path)).following(1)
    os.close(launcher)
