"""A trainer that puts links, FIFOs and forged records where the sidecar reads and writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from api.errors import RemoteError, SetupError
from api.run_directory import AttemptRecord, ExitRecord
from api.types import Comparison, ObjectiveType, StopRule
from collector import shared_volume
from collector.beneath import by_kernel, by_parts, open_beneath
from collector.control_fifo import ControlFifo
from collector.core.stop_rules import StopRules
from collector.disk_files import DiskFiles
from collector.launched_trainer import LaunchedTrainer
from collector.run_directory_lock import RunDirectoryLock
from collector.shared_volume import SharedVolume
from collector.streams.files import LeavesVolume
from collector.streams.rotated_files import snapshot
from tests.collector.hostile_volume import SECRET, HostileVolume
from tests.collector.pod_in_memory import Pod


@pytest.fixture(params=[by_kernel, by_parts], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test both ways to open a file below a directory, as far as the kernel has both."""
    if request.param is by_parts or open_beneath() is by_kernel:
        monkeypatch.setattr(shared_volume, "open_beneath", lambda: request.param)


@pytest.fixture
def trap(tmp_path: Path) -> HostileVolume:
    return HostileVolume(tmp_path)


def files_of(trap: HostileVolume, *, links: bool = False) -> DiskFiles:
    return DiskFiles(SharedVolume(str(trap.volume), links=links))


# --- Reading -----------------------------------------------------------------------------------


def test_a_segment_that_is_a_link_is_not_read(trap: HostileVolume) -> None:
    attempt = trap.volume / "attempts" / "1"
    attempt.mkdir(parents=True)
    (attempt / "out-00000001").symlink_to(trap.private)
    with pytest.raises(SetupError, match=r"out-00000001: it is a symbolic link\. Only the"):
        files_of(trap).open(str(attempt / "out-00000001"))
    with pytest.raises(LeavesVolume):
        files_of(trap).stat(str(attempt / "out-00000001"))


def test_a_metrics_file_that_leads_out_of_its_volume_is_not_read(trap: HostileVolume) -> None:
    log = trap.volume / "metrics.log"
    for target in (str(trap.private), "../sidecar/token", f"/proc/{os.getpid()}/environ"):
        log.unlink(missing_ok=True)
        log.symlink_to(target)
        with pytest.raises(SetupError, match="a symbolic link leads out of"):
            files_of(trap, links=True).open(str(log))


def test_a_directory_that_becomes_a_link_is_not_followed(trap: HostileVolume) -> None:
    (trap.volume / "logs").symlink_to(trap.private.parent)
    files = files_of(trap, links=True)
    for look in (files.open, files.stat, files.read):
        with pytest.raises(LeavesVolume):
            look(f"{trap.volume}/logs/token")
    with pytest.raises(LeavesVolume):
        files.names(f"{trap.volume}/logs")


def test_a_metrics_file_may_be_a_relative_link_inside_its_volume(trap: HostileVolume) -> None:
    (trap.volume / "runs").mkdir()
    (trap.volume / "runs" / "file.1").write_bytes(b"loss=1\n")
    (trap.volume / "logs").symlink_to("runs")
    (trap.volume / "current").symlink_to("runs/file.1")
    for path in ("current", "logs/file.1"):
        file = files_of(trap, links=True).open(str(trap.volume / path))
        assert file is not None
        with closing(file):
            assert file.read_at(0, 99) == b"loss=1\n"


def test_a_rotated_file_that_leads_out_of_the_volume_is_ignored(trap: HostileVolume) -> None:
    log = trap.volume / "metrics.log"
    log.write_bytes(b"loss=1\n")
    (trap.volume / "metrics.log.1").symlink_to(trap.private)
    with snapshot(files_of(trap, links=True), str(log)) as found:
        assert found.at_path is not None
        assert found.rotated == []


def test_a_path_with_dots_stays_in_the_volume(trap: HostileVolume) -> None:
    (trap.volume / "logs").symlink_to(trap.private.parent / "deep")
    path = f"{trap.volume}/logs/../token"
    assert files_of(trap, links=True).open(path) is None, "as the volume's own `token`"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_fifo_or_a_directory_neither_blocks_nor_counts(
    trap: HostileVolume, make: Callable[[Path], None]
) -> None:
    make(trap.volume / "exit")
    files = files_of(trap)
    assert files.open(f"{trap.volume}/exit") is None
    assert files.stat(f"{trap.volume}/exit") is None
    assert files.read(f"{trap.volume}/exit") is None


def test_a_record_of_many_gigabytes_is_not_read(trap: HostileVolume) -> None:
    with (trap.volume / "exit").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(SetupError, match="at most 16777216 are expected"):
        files_of(trap).read(f"{trap.volume}/exit")


# --- Writing -----------------------------------------------------------------------------------


def test_a_checkpoint_is_never_written_through_a_link(trap: HostileVolume) -> None:
    for name in (".checkpoint.new", "checkpoint"):
        (trap.volume / name).symlink_to(trap.private)
    files_of(trap).replace(f"{trap.volume}/checkpoint", b"{}")
    assert trap.untouched
    assert not (trap.volume / "checkpoint").is_symlink()
    assert (trap.volume / "checkpoint").read_bytes() == b"{}"


def test_a_checkpoint_is_never_written_into_a_fifo(trap: HostileVolume) -> None:
    os.mkfifo(trap.volume / ".checkpoint.new")
    files_of(trap).replace(f"{trap.volume}/checkpoint", b"{}")
    assert (trap.volume / "checkpoint").read_bytes() == b"{}"


def test_nothing_is_removed_through_a_link(trap: HostileVolume) -> None:
    (trap.volume / "attempts").symlink_to(trap.private.parent)
    with pytest.raises(LeavesVolume):
        files_of(trap).unlink(f"{trap.volume}/attempts/token")
    (trap.volume / "out-00000001").symlink_to(trap.private)
    files_of(trap).unlink(f"{trap.volume}/out-00000001")
    assert trap.untouched


def test_a_lock_is_not_made_through_a_link(trap: HostileVolume) -> None:
    (trap.volume / "collector.lock").symlink_to(trap.private.parent / "made")
    with pytest.raises(SetupError, match="cannot open"):
        RunDirectoryLock(str(trap.volume))
    assert not (trap.private.parent / "made").exists()


def test_no_line_is_written_into_what_took_the_place_of_the_fifo(trap: HostileVolume) -> None:
    attempt = trap.volume / "attempts" / "1"
    attempt.mkdir(parents=True)
    fifo = ControlFifo(str(trap.volume))
    (attempt / "control").symlink_to(trap.private)
    assert not fifo.delivered(1, None)
    (attempt / "control").unlink()
    (attempt / "control").write_bytes(SECRET)
    assert not fifo.following(1)
    assert (attempt / "control").read_bytes() == SECRET
    assert trap.untouched


# --- Records -----------------------------------------------------------------------------------


def launched(trap: HostileVolume, record: object) -> LaunchedTrainer:
    attempt = trap.volume / "attempts" / "1"
    attempt.mkdir(parents=True)
    (attempt / "attempt").write_bytes(AttemptRecord(number=1, started=1.0).to_json())
    (attempt / "exit").write_text(json.dumps(record))
    return LaunchedTrainer(str(trap.volume), files_of(trap), ControlFifo(str(trap.volume)))


def forged(**changes: object) -> dict[str, object]:
    honest = ExitRecord(
        attempt=1,
        status=0,
        signal=None,
        ended=1.0,
        leftovers=0,
        complete=True,
        cause=None,
        stopped=False,
    )
    return {name: getattr(honest, name) for name in honest.__slots__} | changes


@pytest.mark.parametrize(
    "record",
    [
        forged(attempt=2),
        forged(status=False),
        forged(status="0"),
        forged(stopped="no"),
        forged(complete=None),
        forged(cause=[1]),
        [],
        {},
    ],
)
def test_an_exit_record_that_no_launcher_writes_is_refused(
    trap: HostileVolume, record: object
) -> None:
    with pytest.raises(RemoteError, match="exit record"):
        launched(trap, record).ended(1)


def test_a_record_of_success_and_a_signal_is_no_success(trap: HostileVolume) -> None:
    end = launched(trap, forged(signal=9)).ended(1)
    assert end is not None
    assert end.outcome == "failed"


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b'{"attempt": 1, "started": NaN, "file": null}', b"x" * 10_000_000]
)
def test_a_record_with_any_content_is_one_sentence(text: bytes) -> None:
    for kind in (AttemptRecord, ExitRecord):
        with pytest.raises(RemoteError, match="record is invalid") as refused:
            kind.from_json(text)
        assert len(str(refused.value)) < 5_000


def test_a_trainer_cannot_say_that_stop_rules_stopped_it() -> None:
    rules = StopRules(
        rules=[StopRule(name="loss", value="12", comparison=Comparison.GREATER, start_step=3)],
        objective="loss",
        objective_type=ObjectiveType.MAXIMIZE,
    )
    pod = Pod()
    pod.begin()
    pod.print("loss=1\n")
    session = pod.collector(rules=rules)
    pod.run(session)
    pod.end(stopped=True)
    pod.run_to_the_end(session)
    assert pod.outcome() == "failed"
    assert "the stop rules are not met; it counts as failed" in pod.log_text
