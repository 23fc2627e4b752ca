from __future__ import annotations

import pytest

from api.errors import SetupError
from api.names import OUTCOME_FAILED, OUTCOME_STOPPED, OUTCOME_SUCCEEDED
from collector.core.ports import AttemptEnd
from collector.katib.katib_trainer import PATIENCE, KatibTrainer, WrappedTrainer
from collector.katib.stopped_tree import GRACE, LAST
from collector.testing.memory import MemoryClock, MemoryFiles, MemoryLog
from collector.testing.memory_processes import MemoryProcesses

DIRECTORY = "/var/log/katib"
LOG = f"{DIRECTORY}/metrics.log"
TRAINER = f"sh -c python main.py 1>{LOG} 2>&1 && echo completed > {DIRECTORY}/$$.pid"
SHELL, PYTHON, WORKER = 7, 8, 9
POLL = 1.0


class Pod:
    """The collector's view of a pod: a pause process, and what each test starts beside it."""

    def __init__(self, path: str = LOG, timeout: float | None = None) -> None:
        self.clock = MemoryClock()
        self.files = MemoryFiles(self.clock)
        self.processes = MemoryProcesses()
        self.messages = MemoryLog()
        self.processes.start(1, 0, "/pause")
        self.path = path
        self.timeout = timeout
        self.runs = self.collector()

    def collector(self) -> KatibTrainer:
        trainer = WrappedTrainer(path=self.path, poll=POLL, timeout=self.timeout)
        return KatibTrainer(trainer, self.files, self.processes, self.clock, self.messages)

    def train(self, command: str = TRAINER) -> None:
        self.processes.start(SHELL, 0, command)
        self.processes.start(PYTHON, SHELL, "python main.py")
        self.processes.start(WORKER, PYTHON, "python worker.py")

    def write(self, path: str, text: str) -> None:
        self.files.replace(path, text.encode())

    def finish(self, *pids: int) -> None:
        for pid in pids:
            self.processes.end(pid)

    def wait(self, seconds: float = POLL) -> None:
        """Look as often as a session does."""
        for _ in range(max(1, round(seconds / POLL))):
            self.clock.pass_by(POLL)
            self.runs.started()

    @property
    def end(self) -> AttemptEnd | None:
        self.runs.started()
        return self.runs.ended(1)

    @property
    def outcome(self) -> str | None:
        return self.end.outcome if self.end else None

    def marker(self, pid: int = SHELL) -> str:
        return f"{DIRECTORY}/{pid}.pid"


@pytest.fixture
def pod() -> Pod:
    return Pod()


@pytest.fixture
def training(pod: Pod) -> Pod:
    """A trainer that runs, and was seen."""
    pod.train()
    pod.write(LOG, "loss=1\n")
    assert list(pod.runs.started()) == [1]
    assert pod.end is None
    return pod


def test_a_trainer_that_leaves_its_marker_has_succeeded(training: Pod) -> None:
    training.write(training.marker(), "completed\n")
    assert training.outcome == OUTCOME_SUCCEEDED


def test_a_trainer_that_ends_without_a_marker_has_failed(training: Pod) -> None:
    training.finish(WORKER, PYTHON, SHELL)
    assert training.outcome == OUTCOME_FAILED


def test_another_container_that_still_runs_does_not_delay_the_end(pod: Pod) -> None:
    pod.processes.start(5, 0, "/usr/local/bin/pilot-agent proxy sidecar")
    pod.train()
    pod.processes.start(12, 0, f"fluent-bit -i tail -p path={LOG}")
    assert pod.end is None
    pod.write(pod.marker(), "completed\n")
    pod.finish(WORKER, PYTHON, SHELL)
    assert pod.outcome == OUTCOME_SUCCEEDED


def test_a_trainer_that_completed_before_the_first_look_has_succeeded(pod: Pod) -> None:
    pod.write(LOG, "loss=0.1\n")
    pod.write(pod.marker(), "completed\n")
    assert list(pod.runs.started()) == [1]
    assert pod.outcome == OUTCOME_SUCCEEDED


def test_a_trainer_that_wrote_nothing_and_completed_before_the_first_look_has_succeeded(
    pod: Pod,
) -> None:
    pod.write(pod.marker(), "completed\n")
    assert list(pod.runs.started()) == [1]
    assert pod.outcome == OUTCOME_SUCCEEDED


def test_a_trainer_that_failed_before_the_first_look_counts_as_failed_at_the_second(
    pod: Pod,
) -> None:
    pod.write(LOG, "loss=0.1\n")
    assert list(pod.runs.started()) == [1]
    assert pod.end is None, "its process may have begun after we had looked"
    pod.wait()
    assert pod.outcome == OUTCOME_FAILED


def test_a_trainer_that_begins_during_a_look_is_found_at_the_next_one(pod: Pod) -> None:
    pod.write(LOG, "")
    assert pod.end is None
    pod.train()
    pod.wait(5)
    assert pod.end is None


def test_without_a_trace_no_attempt_has_begun(pod: Pod) -> None:
    pod.wait(PATIENCE / 2)
    assert not pod.runs.started()


def test_a_trainer_that_never_comes_counts_as_failed_after_a_minute(pod: Pod) -> None:
    pod.wait(PATIENCE + 2 * POLL)
    assert list(pod.runs.started()) == [1]
    assert pod.end is not None
    assert pod.end.outcome == OUTCOME_FAILED
    assert pod.end.cause is not None
    assert "no trainer was seen" in pod.end.cause


@pytest.mark.parametrize("traced", [True, False], ids=["with a log", "without a trace"])
def test_a_pod_that_does_not_share_its_processes_is_refused(pod: Pod, traced: bool) -> None:  # noqa: FBT001
    pod.processes.hidden = True
    if traced:
        pod.write(LOG, "loss=1\n")
    with pytest.raises(SetupError, match="shareProcessNamespace"):
        pod.wait(PATIENCE + 2 * POLL)


def test_the_marker_suffices_where_processes_are_not_shared(pod: Pod) -> None:
    pod.processes.hidden = True
    pod.write(pod.marker(), "completed\n")
    assert pod.outcome == OUTCOME_SUCCEEDED


@pytest.mark.parametrize("name", ["main.pid", "7.pid.old", "x7.pid"])
def test_other_files_are_not_markers(pod: Pod, name: str) -> None:
    pod.write(f"{DIRECTORY}/{name}", "completed\n")
    assert pod.end is None


def test_a_subshell_with_the_same_words_is_not_the_trainer(pod: Pod) -> None:
    pod.processes.start(SHELL, 0, TRAINER)
    pod.processes.start(PYTHON, SHELL, TRAINER)  # forked, as for `(cd src && python main.py)`
    assert pod.end is None
    pod.finish(PYTHON)
    assert pod.end is None
    assert f"process {SHELL}" in pod.messages.sentences[0]


def test_another_process_with_the_same_pid_is_not_the_trainer(training: Pod) -> None:
    training.finish(WORKER, PYTHON, SHELL)
    training.processes.start(SHELL, 0, "sleep infinity")
    assert training.outcome == OUTCOME_FAILED


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("metrics.log", "echo completed > $$.pid"),
        ("./metrics.log", "echo completed > $$.pid"),
        ("/metrics.log", "echo completed > /$$.pid"),
        ("/var//log/./katib/m.log", "echo completed > /var/log/katib/$$.pid"),
    ],
)
def test_the_marker_is_where_katibs_webhook_puts_it(path: str, words: str) -> None:
    pod = Pod(path)
    pod.train(f"sh -c python main.py && {words}")
    assert list(pod.runs.started()) == [1]


def test_a_directory_with_a_longer_name_is_another_directory(pod: Pod) -> None:
    pod.train("sh -c true && echo completed > /var/log/katib2/$$.pid")
    assert not pod.runs.started()


def test_after_the_timeout_the_collector_leaves_the_trainer_alone() -> None:
    pod = Pod(timeout=10.0)
    pod.train()
    pod.wait(9)
    assert pod.outcome is None
    pod.wait(2)
    assert pod.end is not None
    assert pod.end.outcome == OUTCOME_FAILED
    assert "-timeout" in (pod.end.cause or "")


def test_a_stop_writes_the_marker_then_sends_term_to_the_shells_child(training: Pod) -> None:
    training.processes.stubborn = {PYTHON}
    assert training.runs.stop(1)
    assert training.files.read(training.marker()) == b"early-stopped"
    assert training.processes.sent == [("TERM", PYTHON)]


def test_workers_get_term_only_after_their_parent_has_ended(training: Pod) -> None:
    training.runs.stop(1)
    training.wait()
    assert training.processes.sent == [("TERM", PYTHON), ("TERM", WORKER)]


def test_a_stopped_trainer_whose_shell_wrote_completed_was_stopped(training: Pod) -> None:
    training.runs.stop(1)
    training.wait()
    assert training.end is None, "the shell still runs"
    training.write(training.marker(), "completed\n")
    training.finish(SHELL)
    assert training.outcome == OUTCOME_STOPPED


def test_a_stopped_trainer_whose_shell_was_killed_was_stopped(training: Pod) -> None:
    training.runs.stop(1)
    training.finish(SHELL)
    assert training.outcome == OUTCOME_STOPPED


def test_a_process_that_ignores_term_is_killed_after_the_grace(training: Pod) -> None:
    training.processes.stubborn = {PYTHON}
    training.runs.stop(1)
    training.wait(GRACE - POLL)
    assert ("KILL", PYTHON) not in training.processes.sent
    training.wait(2 * POLL)
    assert ("KILL", PYTHON) in training.processes.sent
    assert ("KILL", SHELL) not in training.processes.sent


def test_a_process_that_the_shell_starts_next_gets_term_too(training: Pod) -> None:
    training.runs.stop(1)
    training.processes.start(20, SHELL, "python second.py")
    training.wait()
    assert ("TERM", 20) in training.processes.sent


@pytest.mark.parametrize("command", [f"head -n 1 {DIRECTORY}/{SHELL}.pid", TRAINER])
def test_the_process_with_which_the_shell_reads_its_marker_gets_no_signal(
    training: Pod, command: str
) -> None:
    training.runs.stop(1)
    training.processes.start(20, SHELL, command)  # a fork of the shell has the shell's own words
    training.wait()
    assert ("TERM", 20) not in training.processes.sent


def test_a_shell_that_starts_processes_for_ever_is_killed_itself(training: Pod) -> None:
    training.runs.stop(1)
    training.wait(GRACE + LAST + 2 * POLL)
    assert ("KILL", SHELL) in training.processes.sent
    assert training.outcome == OUTCOME_STOPPED


def test_what_a_stopped_trainer_left_behind_is_killed(training: Pod) -> None:
    training.processes.stubborn = {WORKER}
    training.runs.stop(1)
    training.wait()
    training.write(training.marker(), "completed\n")
    training.finish(SHELL)
    assert training.outcome == OUTCOME_STOPPED
    assert ("KILL", WORKER) in training.processes.sent


def test_a_stop_requested_before_the_shell_was_found_is_done_later(pod: Pod) -> None:
    pod.write(LOG, "loss=1\n")
    assert pod.end is None
    pod.train()
    assert not pod.runs.stop(1)
    pod.wait()
    assert pod.processes.sent[0] == ("TERM", PYTHON)


def test_a_stop_after_the_end_changes_nothing(training: Pod) -> None:
    training.write(training.marker(), "completed\n")
    assert not training.runs.stop(1)
    assert training.outcome == OUTCOME_SUCCEEDED
    assert training.files.read(training.marker()) == b"completed\n"


def test_a_stop_that_is_not_permitted_is_logged_and_leaves_no_marker(training: Pod) -> None:
    training.processes.forbidden = True
    assert not training.runs.stop(1)
    assert "cannot be stopped" in training.messages.sentences[-1]
    training.wait(5)
    assert training.messages.sentences[-1] == training.messages.sentences[1], "it is logged once"
    training.finish(WORKER, PYTHON, SHELL)
    assert training.outcome == OUTCOME_FAILED


def test_a_collector_that_restarts_after_the_stop_reports_the_stop(training: Pod) -> None:
    training.processes.stubborn = {PYTHON}
    training.runs.stop(1)
    training.runs = training.collector()
    training.wait()
    assert training.end is None
    training.finish(WORKER, PYTHON, SHELL)
    assert training.outcome == OUTCOME_STOPPED
