"""The collector's hands: the launcher's FIFO, the lock, its sleep, its stdout, and the wire."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from watchdog.observers.inotify import InotifyObserver

from api.errors import RemoteError, SetupError, Unavailable
from api.types import MetricPoint
from api.v1beta1 import api_pb2 as pb
from collector.change_waiter import ChangeWaiter, WatchedDirectory, nearest_that_exists
from collector.control_fifo import ControlFifo
from collector.core.batches import Batch
from collector.grpc_clients import DbManagerClient, EarlyStoppingClient
from collector.run_directory_lock import RunDirectoryLock
from collector.stdout_writer import MOST, StdoutWriter
from tests.collector.early_stopping import early_stopping_service
from tests.dbmanager.database_servers import free_port

# The FIFO


@pytest.fixture
def control(tmp_path: Path) -> Path:
    path = tmp_path / "attempts" / "1" / "control"
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    return path


def test_a_listening_launcher_hears_whole_lines(tmp_path: Path, control: Path) -> None:
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


def test_a_dead_launcher_hears_nothing(tmp_path: Path, control: Path) -> None:
    assert control.exists()
    fifo = ControlFifo(str(tmp_path))
    assert not fifo.alive(1)
    assert not fifo.following(1)
    assert not fifo.delivered(2, None), "an attempt without a FIFO"


def test_a_launcher_that_does_not_read_blocks_nobody(tmp_path: Path, control: Path) -> None:
    launcher = os.open(control, os.O_RDONLY | os.O_NONBLOCK)
    for _ in range(10_000):
        assert ControlFifo(str(tmp_path)).following(1)
    os.close(launcher)


# The lock


def test_the_lock_is_held_once_and_can_be_had_again(tmp_path: Path) -> None:
    first = RunDirectoryLock(str(tmp_path))
    with pytest.raises(SetupError, match="another collector uses"):
        RunDirectoryLock(str(tmp_path))
    first.release()
    RunDirectoryLock(str(tmp_path)).release()


# Its sleep


@pytest.fixture
def wakeup(tmp_path: Path) -> Iterator[ChangeWaiter]:
    (tmp_path / "1").mkdir()
    watched = [WatchedDirectory(str(place), records=True) for place in (tmp_path, tmp_path / "1")]
    told: list[str] = []
    made = ChangeWaiter(lambda: watched, told.append)
    yield made
    made.close()
    assert not told


def slept(
    wakeup: ChangeWaiter, least: float, most: float, meanwhile: Callable[[], object]
) -> float:
    """Return how long it slept while something happened 0.2 s after it had begun to."""
    wakeup.before_step()
    timer = threading.Timer(0.2, meanwhile)
    timer.start()
    begun = time.monotonic()
    wakeup.wait(least, most)
    timer.join()
    return time.monotonic() - begun


def test_without_anything_new_it_sleeps_as_long_as_it_was_told(wakeup: ChangeWaiter) -> None:
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


def test_the_files_of_others_do_not_end_the_second_part(tmp_path: Path) -> None:
    told: list[str] = []
    wakeup = ChangeWaiter(lambda: [WatchedDirectory(str(tmp_path), "m", ".log")], told.append)
    for name in ("other.log", "m.txt"):
        assert slept(wakeup, 0.0, 0.6, lambda: (tmp_path / name).write_text("x")) >= 0.6  # noqa: B023
    assert slept(wakeup, 0.0, 30.0, lambda: (tmp_path / "mnist.log").write_text("x")) < 10.0
    wakeup.close()


def test_a_file_that_never_rests_wakes_it_ten_times_a_second_at_most(
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


def test_what_changed_before_it_fell_asleep_is_not_slept_through(
    wakeup: ChangeWaiter, tmp_path: Path
) -> None:
    wakeup.before_step()
    (tmp_path / "1" / "out").write_text("x")
    begun = time.monotonic()
    wakeup.wait(0.0, 30.0)
    assert time.monotonic() - begun < 10.0


def test_a_wake_ends_any_part(wakeup: ChangeWaiter) -> None:
    assert slept(wakeup, 30.0, 30.0, wakeup.wake) < 10.0


def test_where_nothing_can_be_watched_it_looks_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    told: list[str] = []
    wakeup = ChangeWaiter(lambda: [WatchedDirectory(str(tmp_path))], told.append)
    monkeypatch.setattr(InotifyObserver, "schedule", refuse)
    assert slept(wakeup, 0.0, 30.0, lambda: None) < 10.0
    assert slept(wakeup, 0.0, 30.0, lambda: None) < 10.0
    wakeup.close()
    [sentence] = told
    assert "inotify watch limit reached" in sentence


def test_a_missing_directory_is_awaited_in_the_nearest_above_it(tmp_path: Path) -> None:
    assert nearest_that_exists(str(tmp_path / "a" / "b" / "c")) == str(tmp_path)


# Its stdout


def test_what_is_written_is_shown_verbatim() -> None:
    reader, writer = os.pipe()
    out = StdoutWriter(writer)
    out.write(b"loss=1\n\xff\x00")
    out.write(b"loss=2\n")
    out.close()
    os.close(writer)
    assert os.read(reader, 100) == b"loss=1\n\xff\x00loss=2\n"
    os.close(reader)


def test_a_reader_that_does_not_read_delays_nobody() -> None:
    reader, writer = os.pipe()
    out = StdoutWriter(writer)
    begun = time.monotonic()
    while room := out.room():
        out.write(b"x" * min(room, 1 << 16))
    assert out.room() == 0
    out.close()
    assert time.monotonic() - begun < 10.0
    writing = [thread for thread in threading.enumerate() if thread.name == "stdout"]
    os.close(reader)
    for thread in writing:
        thread.join()
    os.close(writer)


def test_a_reader_that_has_gone_is_no_fault() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    out = StdoutWriter(writer)
    for _ in range(3):
        out.write(b"x")
        time.sleep(0.05)
    assert out.room() == MOST
    out.close()
    os.close(writer)


# The wire


class Manager(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # not at run time
    """A DB manager that notes what comes, and answers with a code."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.OK
        self.details = "because"
        self.seen: list[tuple[pb.ReportObservationLogRequest, dict[str, str | bytes]]] = []

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        assert details.method == "/api.v1.beta1.DBManager/ReportObservationLog"
        return grpc.unary_unary_rpc_method_handler(self._report)

    def _report(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        ours = {
            key: value
            for key, value in context.invocation_metadata()
            if key.startswith("trialwatch")
        }
        self.seen.append((pb.ReportObservationLogRequest.FromString(request), ours))
        if self.code is not grpc.StatusCode.OK:
            context.abort(self.code, self.details)
        return b""


@pytest.fixture
def manager() -> Iterator[tuple[Manager, str]]:
    handler = Manager()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield handler, f"127.0.0.1:{port}"
    server.stop(None).wait()


BATCH = Batch(
    source="a-1",
    sequence=7,
    points=(MetricPoint("loss", "0.5", "2026-01-01T00:00:00Z"), MetricPoint("loss", "nan", None)),
    outcome="failed",
)


def test_a_batch_is_katibs_message_and_our_metadata(manager: tuple[Manager, str]) -> None:
    handler, address = manager
    sink = DbManagerClient(address, "trial-1", "team")
    sink.send(BATCH)
    sink.close()
    [(request, metadata)] = handler.seen
    assert request.trial_name == "trial-1"
    assert [
        (log.time_stamp, log.metric.name, log.metric.value)
        for log in request.observation_log.metric_logs
    ] == [("2026-01-01T00:00:00Z", "loss", "0.5"), ("", "loss", "nan")]
    assert metadata == {
        "trialwatch-namespace": "team",
        "trialwatch-source": "a-1",
        "trialwatch-seq": "7",
        "trialwatch-outcome": "failed",
    }


def test_without_a_namespace_or_an_outcome_they_are_not_named(
    manager: tuple[Manager, str],
) -> None:
    handler, address = manager
    sink = DbManagerClient(address, "trial-1")
    sink.send(Batch(source="a-1", sequence=1, points=()))
    sink.close()
    [(request, metadata)] = handler.seen
    assert request.HasField("observation_log")
    assert set(metadata) == {"trialwatch-source", "trialwatch-seq"}


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "metric.name: missing", RemoteError),
        (grpc.StatusCode.FAILED_PRECONDITION, "two namespaces", RemoteError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "received message larger than max", RemoteError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests", Unavailable),
        (grpc.StatusCode.UNAVAILABLE, "no database", Unavailable),
        (grpc.StatusCode.UNKNOWN, "sql: connection refused", Unavailable),
        (grpc.StatusCode.INTERNAL, "oops", Unavailable),
        (grpc.StatusCode.UNAUTHENTICATED, "who are you", Unavailable),
    ],
)
def test_an_answer_is_a_refusal_or_a_reason_to_ask_again(
    manager: tuple[Manager, str], code: grpc.StatusCode, details: str, kind: type[RemoteError]
) -> None:
    handler, address = manager
    handler.code, handler.details = code, details
    sink = DbManagerClient(address, "trial-1")
    with pytest.raises(RemoteError, match=f"{address}: {code.name}: {details}") as caught:
        sink.send(BATCH)
    sink.close()
    assert type(caught.value) is kind


def test_a_stop_is_told_with_the_trials_namespace() -> None:
    with early_stopping_service() as service:
        for namespace in ("team", ""):
            told = EarlyStoppingClient(service.address, "trial-1", namespace)
            told.stopped()
            told.close()

        assert service.told == ["trial-1", "trial-1"]
        assert service.namespaces == ["team", None]


def test_nobody_there_is_a_reason_to_ask_again() -> None:
    sink = DbManagerClient(f"127.0.0.1:{free_port()}", "trial-1")
    with pytest.raises(Unavailable, match="UNAVAILABLE"):
        sink.send(BATCH)
    sink.close()
