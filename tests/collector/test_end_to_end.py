"""End to end, with real processes: trainer, launcher, collector, DB manager, database."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
import pytest

from api.v1beta1 import api_pb2 as pb
from tests.collector.pod_processes import NOBODY, Observations, Trial, eventually, terminate, trial
from tests.dbmanager.database_servers import free_port
from tests.dbmanager.dbmanager_process import Program, program
from tests.filters.event_files.event_writer import beginning, scalar

UNREACHABLE = "the DB manager does not take reports"
"""A line of the collector's log, once for each wait."""


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One DB manager for all tests; each test has its own trial name."""
    folder = tmp_path_factory.mktemp("manager")
    with program(folder, f"sqlite:///{folder}/observations.db") as started:
        started.folder = folder  # type: ignore[attr-defined]
        yield started


@pytest.fixture
def observations(manager: Program) -> Observations:
    return Observations(manager.folder / "observations.db")  # type: ignore[attr-defined]


@pytest.fixture
def pod(manager: Program, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Trial]:
    with trial(tmp_path, manager.address, request.node.name[:200]) as made:
        yield made


def test_stdout_is_shown_collected_and_the_status_kept(
    pod: Trial, observations: Observations
) -> None:
    collector = pod.collector()
    trainer = pod.trainer(
        ["sh", "-c", "echo loss=0.5 acc=0.9; echo loss=0.25 acc=0.95 >&2; exit 3"]
    )
    assert trainer.wait(60) == 3
    assert trainer.stdout is not None
    assert trainer.stdout.read() == b"loss=0.5 acc=0.9\n"
    assert terminate(collector) == 0
    assert sorted(observations.values(pod.name)) == ["0.25", "0.5"]
    assert sorted(observations.values(pod.name, "acc")) == ["0.9", "0.95"]
    assert sorted(pod.shown.read_text().splitlines()) == ["loss=0.25 acc=0.95", "loss=0.5 acc=0.9"]
    assert pod.last_words["delivered"]
    assert pod.last_words["outcome"] == "failed"
    assert "attempt 1 failed; stored: 2 of acc, 2 of loss" in pod.log_text


def test_without_echo_stdout_stays_empty(pod: Trial) -> None:
    collector = pod.collector("--echo=false")
    pod.train("echo loss=1")
    terminate(collector)
    assert pod.shown.read_bytes() == b""


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ((), "loss=0.5"),
        (("-format", "JSON"), '{"loss": 0.5}'),
        (("-f", r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"),
         "{metricName: loss, metricValue: 0.5}"),
    ],
    ids=["TEXT", "JSON", "metricsFormat"],
)  # fmt: skip
def test_a_file_is_followed(
    pod: Trial, observations: Observations, flags: tuple[str, ...], line: str
) -> None:
    log = pod.folder / "mnist.log"
    collector = pod.collector("-path", str(log), *flags, source="file")
    pod.train(f"echo '{line}' >> {log}", "--file", str(log))
    assert terminate(collector) == 0
    assert observations.values(pod.name) == ["0.5"]


def test_a_file_in_a_directory_that_comes_late_is_found(
    pod: Trial, observations: Observations
) -> None:
    log = pod.folder / "late" / "mnist.log"
    collector = pod.collector("-path", str(log), source="file")
    script = f"sleep 0.5; mkdir {log.parent}; echo loss=1 > {log}; sleep 0.5; echo loss=2 >> {log}"
    pod.train(script, "--file", str(log))
    terminate(collector)
    assert observations.values(pod.name) == ["1", "2"]


def test_values_are_stored_while_the_training_runs(pod: Trial, observations: Observations) -> None:
    pod.collector()
    trainer = pod.trainer(["sh", "-c", "echo loss=1; sleep 60"])
    eventually(lambda: observations.values(pod.name) == ["1"], lambda: "nothing is stored yet")
    assert trainer.poll() is None


def test_each_restart_of_the_container_is_an_attempt(
    pod: Trial, observations: Observations
) -> None:
    collector = pod.collector()
    assert pod.train("echo loss=1; exit 1") == 1
    assert pod.train("echo loss=2; exit 1") == 1
    assert pod.train("echo loss=3") == 0
    assert terminate(collector) == 0
    assert observations.values(pod.name) == ["1", "2", "3"]
    outcomes = [f"attempt {n} {how}" for n, how in ((1, "failed"), (2, "failed"), (3, "succeeded"))]
    assert all(outcome in pod.log_text for outcome in outcomes)


def test_a_training_while_the_store_is_away_is_delivered_when_it_is_back(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/observations.db"
    manager = Program(tmp_path, database)
    with trial(tmp_path / "pod", manager.address) as pod:
        collector = pod.collector()
        trainer = pod.trainer(["sh", "-c", "for n in 1 2 3 4 5; do echo loss=$n; done"])
        eventually(lambda: UNREACHABLE in pod.log_text, lambda: pod.log_text)
        time.sleep(0.3)
        assert trainer.poll() is None, "the launcher did not hold the container"
        manager.start()
        try:
            assert trainer.wait(60) == 0
            assert terminate(collector) == 0
        finally:
            manager.end()
    assert Observations(tmp_path / "observations.db").values(pod.name) == list("12345")


def test_a_collector_that_is_killed_three_times_in_the_hold_loses_nothing(tmp_path: Path) -> None:
    manager = Program(tmp_path, f"sqlite:///{tmp_path}/observations.db")
    with trial(tmp_path / "pod", manager.address) as pod:
        trainer = pod.trainer(["sh", "-c", "for n in 1 2 3; do echo loss=$n; done; exit 7"])
        for waits in range(1, 4):
            collector = pod.collector()
            eventually(lambda: pod.log_text.count(UNREACHABLE) == waits, lambda: pod.log_text)  # noqa: B023 - asked at once
            collector.kill()
            collector.wait()
        assert trainer.poll() is None, "the launcher did not hold the container"
        manager.start()
        try:
            collector = pod.collector()
            assert trainer.wait(60) == 7
            assert terminate(collector) == 0
        finally:
            manager.end()
    assert Observations(tmp_path / "observations.db").values(pod.name) == list("123")


def test_of_several_pods_only_the_one_that_succeeded_is_read(
    manager: Program, observations: Observations, tmp_path: Path
) -> None:
    for number, status in enumerate((1, 1, 0), start=1):
        with trial(tmp_path / str(number), manager.address, "retried") as pod:
            collector = pod.collector()
            pod.train(f"echo loss={number}; exit {status}")
            assert terminate(collector) == 0
    assert read_losses(manager, "retried") == ["3"]
    assert observations.values("retried") == ["1", "2", "3"], "what failed is history"


@pytest.mark.parametrize(
    ("flags", "read"), [(("--one-pod",), ["1"]), ((), ["1", "2"])], ids=["one pod", "several"]
)
def test_a_pod_that_kubernetes_started_twice_is_read_once(
    manager: Program,
    observations: Observations,
    tmp_path: Path,
    flags: tuple[str, ...],
    read: list[str],
) -> None:
    name = f"twice{len(flags)}"
    for number in (1, 2):
        with trial(tmp_path / str(number), manager.address, name) as pod:
            collector = pod.collector(*flags)
            pod.train(f"echo loss={number}")
            assert terminate(collector) == 0
    assert read_losses(manager, name) == read
    assert observations.values(name) == ["1", "2"], "both are stored"


def read_losses(manager: Program, trial_name: str) -> list[str]:
    """Return the values of `loss` that the DB manager returns for a trial."""
    with grpc.insecure_channel(manager.address) as channel:
        read = channel.unary_unary(
            "/api.v1.beta1.DBManager/GetObservationLog",
            request_serializer=pb.GetObservationLogRequest.SerializeToString,
            response_deserializer=pb.GetObservationLogReply.FromString,
        )
        reply = read(pb.GetObservationLogRequest(trial_name=trial_name, metric_name="loss"))
    return [log.metric.value for log in reply.observation_log.metric_logs]


def test_without_a_store_the_termination_message_has_the_values(
    tmp_path: Path,
) -> None:
    with trial(tmp_path, f"127.0.0.1:{free_port()}") as pod:
        collector = pod.collector()
        pod.train("for n in 3 1 2; do echo loss=$n; done", "--drain", "1")
        eventually(lambda: UNREACHABLE in pod.log_text, lambda: pod.log_text)
        collector.terminate()
        eventually(pod.message.read_bytes, lambda: "no last words")
        eventually(lambda: "metrics" in pod.last_words, lambda: "no last words")
        words = pod.last_words
    assert not words["delivered"]
    assert "DB manager" in words["why"]
    assert words["metrics"]["loss"] == {
        "count": 3,
        "first": "3",
        "last": "2",
        "min": "1",
        "max": "3",
    }


def test_when_the_rules_are_met_the_trainer_succeeds_and_the_stop_is_reported(
    pod: Trial, observations: Observations
) -> None:
    stopped_trials: list[str] = []

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        del context
        stopped_trials.append(pb.SetTrialStatusRequest.FromString(request).trial_name)
        return pb.SetTrialStatusReply().SerializeToString()

    server = grpc.server(futures.ThreadPoolExecutor(1))
    handler = grpc.unary_unary_rpc_method_handler(answer)
    service = grpc.method_handlers_generic_handler(
        "api.v1.beta1.EarlyStopping", {"SetTrialStatus": handler}
    )
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        rule = ("-stop-rule", "loss;0.5;less;2", "-s-earlystop", f"127.0.0.1:{port}")
        collector = pod.collector(*rule)
        script = "echo loss=0.4; echo loss=0.3; while :; do sleep 0.1; done"
        assert pod.train(script) == 0
        assert terminate(collector) == 0
    finally:
        server.stop(None).wait()
    assert stopped_trials == [pod.name]
    assert observations.values(pod.name) == ["0.4", "0.3"]
    assert pod.last_words["outcome"] == "stopped"


def test_an_ordinary_container_ends_by_itself(pod: Trial, observations: Observations) -> None:
    collector = pod.collector(native=False)
    pod.train("echo loss=1")
    assert collector.wait(60) == 0
    assert observations.values(pod.name) == ["1"]


def test_without_a_launcher_the_signal_ends_the_attempt(
    pod: Trial, observations: Observations
) -> None:
    log = pod.folder / "mnist.log"
    collector = pod.collector("--unwrapped", "-path", str(log), source="file")
    pod.await_following()
    with log.open("a") as file:
        file.write("loss=1\nloss=2")
    eventually(
        lambda: observations.values(pod.name) == ["1"], lambda: "the first line is not stored"
    )
    assert terminate(collector) == 0
    assert observations.values(pod.name) == ["1", "2"]


def test_a_bad_flag_by_hand_is_one_line_and_status_2(pod: Trial) -> None:
    collector = pod.collector("--no-such-flag", native=False)
    assert collector.wait(60) == 2
    [line] = pod.log_text.splitlines()
    assert "--no-such-flag" in line


def test_a_bad_pattern_in_a_native_sidecar_releases_the_launcher(pod: Trial) -> None:
    collector = pod.collector("-f", "(loss")
    begun = time.monotonic()
    assert pod.train("echo loss=1") == 0
    assert time.monotonic() - begun < 20.0, "the launcher waited"
    assert collector.poll() is None, "a native sidecar that ends is started again"
    assert terminate(collector) == 0
    assert "(loss" in pod.last_words["why"]
    assert len(pod.log_text.splitlines()) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_an_unreadable_file_is_logged_with_the_remedy(pod: Trial) -> None:
    log = pod.folder / "mnist.log"
    powerless = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
    collector = pod.collector("-path", str(log), source="file", under=powerless)
    made = pod.folder / "made"  # moved, so that the collector sees the file with its last owner
    script = f"umask 077; echo loss=1 > {made}; chown {NOBODY} {made}; mv {made} {log}"
    assert pod.train(script, "--file", str(log)) == 0
    assert terminate(collector) == 0
    why = pod.last_words["why"]
    assert f"cannot read {log} as user 0: Permission denied" in why
    assert f"it belongs to user {NOBODY}, mode 0600" in why
    assert "trialwatch.dev/run-as-user" in pod.log_text


def test_a_second_collector_on_a_run_directory_is_refused(pod: Trial) -> None:
    pod.collector()
    eventually((pod.run_dir / "collector.lock").exists, lambda: "no lock")
    second = pod.collector(native=False)
    assert second.wait(60) == 2
    assert "another collector uses" in pod.log_text


def test_thirty_trainings_of_a_moment_are_all_stored(
    manager: Program, observations: Observations, tmp_path: Path
) -> None:
    def one(number: int) -> tuple[int, int, str]:
        with trial(tmp_path / str(number), manager.address, f"echo-{number}") as pod:
            collector = pod.collector(native=False)
            trained = pod.train(f"echo loss=0.{number}")
            return trained, collector.wait(60), pod.log_text

    with futures.ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(one, range(1, 31)))
    assert [how[:2] for how in ended] == [(0, 0)] * 30, ended
    stored = [observations.values(f"echo-{number}") for number in range(1, 31)]
    assert stored == [[f"0.{number}"] for number in range(1, 31)]


def test_a_metrics_file_that_leads_to_a_private_file_of_the_sidecar_shows_nothing_of_it(
    pod: Trial, observations: Observations
) -> None:
    private = pod.folder / "token"
    private.write_text("loss=31337 the sidecar's private file\n")
    volume = pod.folder / "volume"
    (volume / "logs").mkdir(parents=True)
    path = volume / "logs" / "metrics.log"
    state = pod.folder / "state"
    state.mkdir()
    flags = (f"--path={path}", f"--volume={volume}", f"--state-dir={state}")
    collector = pod.collector(*flags, source="file")
    pod.train(f"ln -s {private} {path}; sleep 1", "--file", str(path), "--unfollowed", "5")
    eventually(lambda: "leads out of" in pod.log_text, lambda: pod.log_text)
    assert terminate(collector) == 0
    assert observations.values(pod.name) == []
    assert "private file" not in pod.shown.read_text()
    assert "private file" not in pod.message.read_text()
    assert f"leads out of {volume}" in pod.last_words["why"]
    assert not pod.last_words["delivered"]


def test_the_state_of_the_collector_is_not_in_the_directory_of_the_trainer(
    pod: Trial, observations: Observations
) -> None:
    state = pod.folder / "state"
    state.mkdir()
    volume = pod.folder / "volume"
    (volume / "runs").mkdir(parents=True)
    (volume / "current").symlink_to("runs/metrics.log")
    path = volume / "current"
    collector = pod.collector(f"--path={path}", f"--state-dir={state}", source="file")
    assert pod.train(f"echo loss=0.5 > {path}", "--file", str(path)) == 0
    assert terminate(collector) == 0
    assert observations.values(pod.name) == ["0.5"], "through a link inside the volume"
    assert sorted(each.name for each in state.iterdir()) == ["checkpoint", "collector.lock"]
    assert sorted(each.name for each in pod.run_dir.iterdir()) == ["attempt", "attempts"]


_EVENT_TRAINER = Path(__file__).with_name("event_trainer.py")


def test_event_files_are_followed_with_their_steps(pod: Trial, observations: Observations) -> None:
    log = pod.folder / "log"
    collector = pod.collector("-path", str(log), source="events")
    trainer = pod.trainer([sys.executable, str(_EVENT_TRAINER), str(log), "8", "1"], "--file", "x")
    assert trainer.wait(60) == 0
    pod.await_delivery()
    assert terminate(collector) == 0
    expected = [str(float(np.float32(1 / step))) for step in range(1, 9)]
    assert [float(np.float32(value)) for value in observations.values(pod.name)] == [
        float(value) for value in expected
    ]
    assert len(observations.values(pod.name, "acc")) == 8
    assert pod.shown.read_bytes() == b""
    assert pod.last_words["outcome"] == "succeeded"


def test_a_collector_of_event_files_that_is_killed_delivers_each_value_once(
    pod: Trial, observations: Observations
) -> None:
    log = pod.folder / "log"
    trainer = pod.trainer([sys.executable, str(_EVENT_TRAINER), str(log), "60", "3"], "--file", "x")
    for _ in range(4):
        collector = pod.collector("-path", str(log), source="events")
        time.sleep(0.8)
        collector.kill()
        collector.wait()
    collector = pod.collector("-path", str(log), source="events")
    assert trainer.wait(60) == 0
    pod.await_delivery()
    terminate(collector)
    values = observations.values(pod.name)
    assert len(values) == len(set(values)) == 60


def test_a_link_out_of_the_volume_of_event_files_is_not_read(
    pod: Trial, observations: Observations
) -> None:
    log, private = pod.folder / "log", pod.folder / "private.tfevents"
    private.write_bytes(beginning(time.time()) + scalar("loss", 9))
    log.mkdir()
    (log / "a.tfevents").symlink_to(private)
    (log / "directory").symlink_to(pod.folder)
    collector = pod.collector("-path", str(log), source="events")
    os.mkfifo(pod.folder / "go")
    trainer = pod.trainer(["cat", str(pod.folder / "go")], "--file", "x")
    pod.await_following()
    (log / "b.tfevents").write_bytes(beginning(time.time()) + scalar("loss", 1))
    (pod.folder / "go").write_bytes(b"")
    assert trainer.wait(60) == 0
    pod.await_delivery()
    terminate(collector)
    assert observations.values(pod.name) == ["1.0"]
    assert "a.tfevents is not read: cannot read" in pod.log_text
    assert "private.tfevents" not in pod.log_text
