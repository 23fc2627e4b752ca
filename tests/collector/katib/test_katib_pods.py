"""A collector beside a trainer that Katib's own webhook has wrapped, with real processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.collector.fake_early_stopping import early_stopping_service
from tests.collector.katib_pod_processes import KatibPod
from tests.collector.pod_processes import Observations, eventually
from tests.dbmanager.dbmanager_process import Program, program

sharing = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a process namespace")

whole_machine = pytest.mark.skipif(
    Path("/proc/self/ns/pid").stat().st_ino != 0xEFFFFFFC,
    reason="in a container the processes of the machine are not seen",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("manager")


@pytest.fixture(scope="module")
def manager(folder: Path) -> Iterator[Program]:
    """One DB manager for all; each test has a trial name of its own."""
    with program(folder, f"sqlite:///{folder}/observations.db") as started:
        yield started


@pytest.fixture
def observations(manager: Program, folder: Path) -> Observations:
    del manager
    return Observations(folder / "observations.db")


@pytest.fixture
def pod(manager: Program, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[KatibPod]:
    made = KatibPod(tmp_path / "pod", manager.address, request.node.name[:200])
    try:
        yield made
    finally:
        made.end_all()


def test_a_training_is_shown_and_stored_and_the_collector_ends_with_it(
    pod: KatibPod, observations: Observations
) -> None:
    trainer = pod.begin("sh -c 'for n in 1 2 3; do echo loss=$n; sleep 0.2; done'")
    collector = pod.collect()
    assert trainer.wait(60) == 0
    assert collector.wait(60) == 0
    assert observations.values(pod.name) == ["1", "2", "3"]
    assert pod.shown.read_text().splitlines() == ["loss=1", "loss=2", "loss=3"]
    assert pod.last_words["outcome"] == "succeeded"


def test_values_are_there_while_the_training_runs(
    pod: KatibPod, observations: Observations
) -> None:
    trainer = pod.begin("sh -c 'echo loss=1; sleep 60'")
    pod.collect()
    eventually(lambda: observations.values(pod.name) == ["1"], lambda: "nothing is stored yet")
    assert trainer.poll() is None


def test_a_training_that_ended_before_the_collector_came_is_collected(
    pod: KatibPod, observations: Observations
) -> None:
    assert pod.begin("echo loss=0.1").wait(60) == 0
    assert pod.collect().wait(60) == 0
    assert observations.values(pod.name) == ["0.1"]


def test_a_trainer_that_fails_shows_in_the_exit_status(
    pod: KatibPod, observations: Observations
) -> None:
    seen = pod.folder / "seen"
    script = f"echo loss=1; until test -e {seen}; do sleep 0.05; done; exit 3"
    trainer = pod.begin(f"sh -c '{script}'")
    collector = pod.collect()
    pod.await_trainer()
    seen.touch()
    assert trainer.wait(60) == 3
    assert collector.wait(60) == 2
    assert observations.values(pod.name) == ["1"]
    assert pod.last_words["outcome"] == "failed"


@whole_machine
def test_under_host_pid_a_missing_marker_shows_a_trainer_that_failed_before(
    pod: KatibPod, observations: Observations
) -> None:
    assert pod.begin("sh -c 'echo loss=1; exit 3'").wait(60) == 3
    assert pod.collect().wait(60) == 2
    assert observations.values(pod.name) == ["1"]
    assert pod.last_words["outcome"] == "failed"


_EVENT_TRAINER = f"{sys.executable} {Path(__file__).parents[1] / 'event_trainer.py'}"


def test_a_directory_without_a_format_has_event_files(
    pod: KatibPod, observations: Observations
) -> None:
    trainer = pod.begin_with_event_files(f"{_EVENT_TRAINER} {pod.directory} 8 1")
    collector = pod.collect("-w", "true")
    assert trainer.wait(60) == 0
    assert collector.wait(60) == 0
    assert len(observations.values(pod.name)) == 8
    assert observations.values(pod.name, "acc")[-1] == "1.0"
    assert pod.last_words["outcome"] == "succeeded"


def test_a_training_with_event_files_is_stopped_early(
    pod: KatibPod, observations: Observations
) -> None:
    trainer = pod.begin_with_event_files(f"{_EVENT_TRAINER} {pod.directory} 600 60", stoppable=True)
    collector = pod.collect("-stop-rule", "loss;0.3;less;2")
    assert trainer.wait(60) == 0
    assert collector.wait(60) == 0
    assert pod.last_words["outcome"] == "stopped"
    assert 4 <= len(observations.values(pod.name)) < 600


@sharing
def test_a_proxy_that_never_ends_does_not_hold_the_collector(
    pod: KatibPod, observations: Observations
) -> None:
    pod.share_processes()
    proxy = pod.run(["sleep", "600"])
    assert pod.begin("sh -c 'echo loss=1; exit 1'").wait(60) == 1
    begun = time.monotonic()
    assert pod.collect("-w", "true").wait(60) == 2
    assert time.monotonic() - begun < 20.0
    assert proxy.poll() is None
    assert observations.values(pod.name) == ["1"]
    assert pod.last_words["outcome"] == "failed"


@sharing
def test_with_early_stopping_the_tree_ends_and_the_wrapper_succeeds(
    pod: KatibPod, observations: Observations
) -> None:
    pod.share_processes()
    worker = f'(: {pod.name}; trap "" TERM; while :; do sleep 0.1; done) &'
    script = f"sh -c '{worker} echo loss=0.4; echo loss=0.3; while :; do sleep 0.1; done'"
    with early_stopping_service() as service:
        flags = ("-stop-rule", "loss;0.5;less;2", "-s-earlystop", service.address)
        trainer = pod.begin(script, stoppable=True)
        collector = pod.collect(*flags)
        assert trainer.wait(60) == 0
        assert collector.wait(60) == 0
        assert service.stopped_trials == [pod.name]
    eventually(lambda: not _running(f": {pod.name};"), lambda: "something was left behind")
    assert trainer.stdout is not None
    assert trainer.stdout.read() == b"Training Container was Early Stopped\n"
    assert observations.values(pod.name) == ["0.4", "0.3"]
    assert pod.last_words["outcome"] == "stopped"


@sharing
def test_a_pod_whose_trainer_is_invisible_is_refused_with_the_remedy(pod: KatibPod) -> None:
    pod.hide_processes()
    pod.metrics.write_text("loss=1\n")
    assert pod.collect().wait(60) == 2
    assert "shareProcessNamespace" in pod.log_text
    assert "Traceback" not in pod.log_text


def test_an_objective_that_was_never_seen_is_unavailable(
    pod: KatibPod, observations: Observations
) -> None:
    assert pod.begin("echo acc=1").wait(60) == 0
    assert pod.collect().wait(60) == 0
    assert observations.values(pod.name, "loss") == ["unavailable"]
    assert observations.values(pod.name, "acc") == ["1"]


def _running(words: str) -> list[int]:
    """Return the processes that were started with these words."""
    found = psutil.process_iter(["cmdline"])
    return [each.pid for each in found if words in " ".join(each.info["cmdline"] or ())]
