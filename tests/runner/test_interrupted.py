"""What `get` shows of an experiment whose run has stopped before its end, by Ctrl-C or a kill."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

import pytest

from tests.runner.experiment_runs import Machine, experiment, wait_for

HANGS = ["sh", "-c", "echo up >> begun; sleep 600; : ${trialParameters.lr}"]


@pytest.fixture(params=[signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def stopped(machine: Machine, request: pytest.FixtureRequest) -> Machine:
    """A machine on which a run was stopped while two trials trained."""
    machine.write(experiment(command=HANGS))
    run = _running(machine, "--parallel", "2")
    run.send_signal(request.param)
    run.communicate(timeout=60)
    wait_for(lambda: not _is_running(machine, "experiments"))
    return machine


def test_get_shows_interrupted_and_the_line_that_continues(stopped: Machine) -> None:
    status, out, err = stopped.call("get", "experiments")
    trials = stopped.call("get", "trials")[1].splitlines()[1:]

    assert status == 0
    assert out.splitlines()[1].split()[:3] == ["quick", "Interrupted", "True"]
    assert err == (
        "experiment quick was interrupted; to continue: trialwatch run e.yaml --parallel 2\n"
    )
    assert [line.split()[1] for line in trials] == ["Interrupted"] * len(trials)


def test_from_another_directory_the_line_changes_to_the_first(stopped: Machine) -> None:
    there = stopped.folder / "there"
    there.mkdir()
    stopped.folder, old = there, stopped.folder
    _, _, err = stopped.call("get", "experiments", "--state-dir", "../.trialwatch")

    assert f"to continue: cd {old} && trialwatch run e.yaml --parallel 2\n" in err


def test_while_a_run_is_at_work_get_shows_running(machine: Machine) -> None:
    machine.write(experiment(command=HANGS))
    _running(machine)

    assert _is_running(machine, "experiments")
    assert _is_running(machine, "trials")


def test_after_ctrl_c_the_run_prints_the_line_that_continues(machine: Machine) -> None:
    machine.write(experiment(command=HANGS))
    run = _running(machine, "--state-dir", "elsewhere")
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=60)

    line = "trialwatch run e.yaml --state-dir elsewhere"
    assert f"experiment quick was interrupted; to continue: {line}\n" in out


def test_the_stored_command_line_has_no_password(machine: Machine) -> None:
    url = "postgresql://me:secret@127.0.0.1:1/metrics"
    machine.write(experiment(command=HANGS))
    run = machine.start("run", "e.yaml", "--database", url)
    wait_for((machine.state() / "command.json").exists)
    run.kill()
    run.communicate(timeout=60)
    stored = (machine.state() / "command.json").read_text()

    assert "secret" not in stored
    assert json.loads(stored)["command"][-1] == "postgresql://me:***@127.0.0.1:1/metrics"


def _running(machine: Machine, *flags: str) -> subprocess.Popen[str]:
    """Start a run, and wait until both trials train."""
    run = machine.start("run", "e.yaml", *flags)
    begun = machine.folder / "begun"
    wait_for(lambda: begun.exists() and len(begun.read_text().splitlines()) == 2)
    return run


def _is_running(machine: Machine, kind: str) -> bool:
    documents: Any = json.loads(machine.call("get", kind, "-o", "json")[1])["items"]
    return all(one["status"]["conditions"][-1]["type"] == "Running" for one in documents)
