"""Collector processes with Katib's DB manager, and with servers that never accept a report."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.collector.katib_db_manager import Dialect, katib_db_manager
from tests.collector.katib_pod_processes import KatibPod
from tests.collector.pod_processes import Observations, Trial, eventually, terminate, trial
from tests.dbmanager.dbmanager_process import Program

_DATABASE_AWAY = "dial tcp 10.0.0.7:3306: connect: connection refused"


_GRACE = ("--grace", "4s")
_LIMIT = 4.0 + 20.0
"""Seconds: the grace period, and time for a busy machine. The exact time is tested in virtual time
(`core/test_session.py`, `test_simulation.py`)."""


def _end(pod: Trial, collector: subprocess.Popen[bytes]) -> int:
    """Tell a collector to end; return its status once it has ended by itself."""
    begun = time.monotonic()
    status = terminate(collector)
    assert time.monotonic() - begun < _LIMIT, pod.log_text
    return status


def _end_while_a_report_waits(pod: Trial) -> int:
    collector = pod.collector(*_GRACE)
    pod.trainer(["sh", "-c", "echo loss=1; exec sleep 600"])
    eventually(lambda: "the collector retries" in pod.log_text, lambda: pod.log_text)
    return _end(pod, collector)


@pytest.mark.parametrize("dialect", Dialect)
def test_a_training_is_delivered_and_the_collector_ends(tmp_path: Path, dialect: Dialect) -> None:
    with katib_db_manager(dialect) as manager, trial(tmp_path, manager.address) as pod:
        collector = pod.collector()
        assert pod.train("echo loss=0.5 acc=0.9; echo loss=0.25") == 0
        assert terminate(collector) == 0
        assert manager.values(pod.name) == ["0.5", "0.25"]
        assert manager.values(pod.name, "acc") == ["0.9"]
    assert pod.last_words["delivered"], pod.log_text
    assert "the outcome succeeded is not sent: the DB manager keeps only points" in pod.log_text
    assert "the collector retries" not in pod.log_text


def test_a_collector_that_katibs_webhook_injected_ends_by_itself(tmp_path: Path) -> None:
    with katib_db_manager() as manager:
        pod = KatibPod(tmp_path / "pod", manager.address)
        try:
            trainer = pod.begin("echo loss=0.1")
            assert pod.collect().wait(60) == 0
            assert trainer.wait(60) == 0
        finally:
            pod.end_all()
        assert manager.values(pod.name) == ["0.1"]
    assert pod.last_words["delivered"]


def test_an_objective_that_was_never_seen_is_stored_as_unavailable(tmp_path: Path) -> None:
    with katib_db_manager() as manager, trial(tmp_path, manager.address) as pod:
        collector = pod.collector()
        assert pod.train("echo acc=1") == 0
        assert terminate(collector) == 0
        assert manager.values(pod.name) == ["unavailable"]


def test_a_database_that_is_away_behind_katibs_manager_costs_no_value(tmp_path: Path) -> None:
    with katib_db_manager() as manager, trial(tmp_path, manager.address) as pod:
        manager.failure = _DATABASE_AWAY
        collector = pod.collector()
        trainer = pod.trainer(["sh", "-c", "for n in 1 2 3; do echo loss=$n; done"])
        eventually(lambda: manager.reports > 3, lambda: pod.log_text)
        assert trainer.poll() is None, "the launcher did not hold the container"
        manager.failure = None
        assert trainer.wait(60) == 0
        assert terminate(collector) == 0
        assert manager.values(pod.name) == ["1", "2", "3"]


def test_while_a_trial_runs_katibs_manager_may_be_replaced_by_trialwatchs(tmp_path: Path) -> None:
    ours = Program(tmp_path, f"sqlite:///{tmp_path}/observations.db")
    go_on = tmp_path / "go-on"
    script = f"echo loss=1; until test -e {go_on}; do sleep 0.05; done; echo loss=2; exit 3"
    with trial(tmp_path / "pod", ours.address) as pod:
        with katib_db_manager(address=ours.address) as katibs:
            collector = pod.collector()
            trainer = pod.trainer(["sh", "-c", script])
            eventually(lambda: katibs.values(pod.name) == ["1"], lambda: pod.log_text)
        ours.start()
        try:
            go_on.touch()
            assert trainer.wait(60) == 3
            assert terminate(collector) == 0
        finally:
            ours.end()
    observations = Observations(tmp_path / "observations.db")
    assert observations.values(pod.name) == ["2"]
    assert observations.outcomes() == ["failed"]


def test_while_a_trial_runs_trialwatchs_manager_may_be_replaced_by_katibs(tmp_path: Path) -> None:
    ours = Program(tmp_path, f"sqlite:///{tmp_path}/observations.db")
    observations = Observations(tmp_path / "observations.db")
    go_on = tmp_path / "go-on"
    script = f"echo loss=1; until test -e {go_on}; do sleep 0.05; done; echo loss=2"
    with trial(tmp_path / "pod", ours.address) as pod:
        collector = pod.collector()
        trainer = pod.trainer(["sh", "-c", script])
        ours.start()
        try:
            eventually(observations.exist, ours.log.read_text)
            eventually(lambda: observations.values(pod.name) == ["1"], lambda: pod.log_text)
        finally:
            ours.end()
        with katib_db_manager(address=ours.address) as katibs:
            go_on.touch()
            assert trainer.wait(60) == 0
            assert terminate(collector) == 0
            assert katibs.values(pod.name) == ["2"]
    assert pod.last_words["delivered"], pod.log_text


def test_a_server_that_never_accepts_a_report_does_not_outlast_the_grace_period(
    tmp_path: Path,
) -> None:
    with katib_db_manager() as manager, trial(tmp_path, manager.address) as pod:
        manager.failure = _DATABASE_AWAY
        assert _end_while_a_report_waits(pod) == 2
    assert not pod.last_words["delivered"]
    assert _DATABASE_AWAY in pod.last_words["why"]
    assert pod.last_words["metrics"]["loss"]["last"] == "1"


def test_a_server_that_never_answers_does_not_outlast_the_grace_period(tmp_path: Path) -> None:
    with katib_db_manager() as manager, trial(tmp_path, manager.address) as pod:
        manager.hangs = True
        assert _end_while_a_report_waits(pod) == 2
    assert "DEADLINE_EXCEEDED" in pod.last_words["why"]


def test_a_missing_server_does_not_outlast_the_grace_period(tmp_path: Path) -> None:
    with katib_db_manager() as manager:
        address = manager.address
    with trial(tmp_path, address) as pod:
        assert _end_while_a_report_waits(pod) == 2
    assert "UNAVAILABLE" in pod.last_words["why"]


def test_a_trainer_that_never_ends_does_not_outlast_the_grace_period(tmp_path: Path) -> None:
    with katib_db_manager() as manager, trial(tmp_path, manager.address) as pod:
        collector = pod.collector(*_GRACE)
        pod.trainer(["sh", "-c", "echo loss=1; exec sleep 600"])
        eventually(lambda: manager.values(pod.name) == ["1"], lambda: pod.log_text)
        assert _end(pod, collector) == 2
    assert pod.last_words["why"] == "the grace period was over before all was delivered"
