"""How the collector reads a launcher's records."""

from __future__ import annotations

import pytest

from api.errors import RemoteError
from api.run_directory import AttemptRecord
from collector.core.no_launcher import NoLauncher
from collector.launched_trainer import LaunchedTrainer
from collector.testing.memory import MemoryClock, MemoryFiles

RECORD = "/run/attempts/1/attempt"


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles(MemoryClock())


@pytest.fixture
def launched(files: MemoryFiles) -> LaunchedTrainer:
    return LaunchedTrainer("/run", files, NoLauncher())


def test_an_attempt_begins_when_its_record_is_whole(
    files: MemoryFiles, launched: LaunchedTrainer
) -> None:
    text = AttemptRecord(number=1, started=5.0).to_json()
    for length in range(len(text)):
        files.replace(RECORD, text[:length])
        assert not launched.started()
    files.replace(RECORD, text)
    assert launched.started() == [1]


def test_a_damaged_record_is_the_launchers_fault(
    files: MemoryFiles, launched: LaunchedTrainer
) -> None:
    files.replace(RECORD, b"rubbish\n")
    with pytest.raises(RemoteError, match="rubbish"):
        launched.started()
