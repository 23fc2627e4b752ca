"""Trials that do what trials do: each ends in the right state, with the cause in its message."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runner.experiment_runs import Machine, experiment, message_of, state_of
from tests.runner.local_pods import processes_with

ONE: dict[str, Any] = {"maxTrialCount": 1, "parallelTrialCount": 1, "maxFailedTrialCount": 1}


def only_trial(
    machine: Machine,
    script: str,
    *,
    job_spec: dict[str, Any] | None = None,
    **spec: Any,  # noqa: ANN401 - JSON
) -> tuple[str, str]:
    """Run an experiment of one trial; return the trial's state and message."""
    script += "; : ${trialParameters.lr}"
    machine.run(experiment(command=["sh", "-c", script], job_spec=job_spec, **{**ONE, **spec}))
    [trial] = machine.trials().values()
    return state_of(trial), message_of(trial)


def test_one_that_fails(machine: Machine) -> None:
    state, message = only_trial(machine, "echo loss=0.1; echo 'KeyError: x' >&2; exit 1")

    assert state == "Failed"
    assert "container main ended with status 1" in message
    assert message.endswith("its last output: loss=0.1 | KeyError: x")


def test_one_in_python_that_raises(machine: Machine) -> None:
    script = "def train():\n    raise KeyError('x')\nprint('loss=0.1', flush=True)\ntrain()\n"
    (machine.folder / "train.py").write_text(script)

    state, message = only_trial(machine, "exec python3 train.py")

    assert state == "Failed"
    assert message.endswith("container main ended with status 1; its last output: KeyError: 'x'")


def test_one_that_is_killed_by_the_kernel(machine: Machine) -> None:
    state, message = only_trial(machine, "echo loss=0.1; kill -9 $$$$")

    assert state == "Failed"
    assert "status 137" in message


def test_one_that_hangs(machine: Machine) -> None:
    state, message = only_trial(
        machine, "echo epoch 1; sleep 600", job_spec={"activeDeadlineSeconds": 2}
    )

    assert state == "Failed"
    assert "Job was active longer than specified deadline" in message
    assert message.endswith("its last output: epoch 1")


def test_one_that_prints_nothing(machine: Machine) -> None:
    state, message = only_trial(machine, "true")

    assert state == "MetricsUnavailable"
    assert "no line of the training contained" in message


def test_one_that_prints_another_name(machine: Machine) -> None:
    state, message = only_trial(machine, "echo epoch 1 Loss: 0.5")

    assert state == "MetricsUnavailable"
    assert "epoch 1 Loss: 0.5" in message
    assert "it is written 'Loss' here" in message


def test_one_that_writes_another_name_into_its_file(machine: Machine) -> None:
    collector = {
        "collector": {"kind": "File"},
        "source": {"fileSystemPath": {"path": "/katib/mnist.log", "kind": "File"}},
    }
    state, message = only_trial(
        machine, "echo val_loss=0.5 > /katib/mnist.log", metricsCollectorSpec=collector
    )

    assert state == "MetricsUnavailable"
    assert "val_loss=0.5" in message


def test_one_that_prints_only_nan(machine: Machine) -> None:
    state, message = only_trial(machine, "echo loss=nan; echo loss=nan")

    assert state == "MetricsUnavailable"
    assert "never a finite number" in message or "never as a finite number" in message


def test_one_that_leaves_daemons(machine: Machine) -> None:
    mark = f"daemons-{os.getpid()}"
    script = "(setsid nohup sleep 600 >/dev/null 2>&1 &); (setsid sleep 600 &); echo loss=0.1"
    machine.write(experiment(command=["sh", "-c", f"{script}; : ${{trialParameters.lr}}"], **ONE))
    run = machine.start("run", "e.yaml", MARK=mark)
    run.communicate(timeout=120)
    [trial] = machine.trials().values()

    assert (run.returncode, state_of(trial)) == (0, "Succeeded")
    assert processes_with(f"MARK={mark}") == []


def test_one_whose_command_is_not_here(machine: Machine) -> None:
    document = experiment(command=["no-such-trainer", "--lr=${trialParameters.lr}"], **ONE)
    status, _ = machine.run(document, "--no-check")
    [trial] = machine.trials().values()

    assert (status, state_of(trial)) == (1, "Failed")
    assert "command 'no-such-trainer' is not on this machine" in message_of(trial)


def test_one_whose_template_cannot_run_here(machine: Machine) -> None:
    """What was a placeholder in the template is judged when it is filled in."""
    document = experiment(job_spec={"activeDeadlineSeconds": "${trialParameters.lr}"}, **ONE)
    status, out, err = _call(machine, document)

    assert status in (1, 2)
    assert "activeDeadlineSeconds" in out + err


def _call(machine: Machine, document: dict[str, Any]) -> tuple[int, str, str]:
    machine.write(document)
    return machine.call("run", "e.yaml")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB, where we may make one."""
    place = tmp_path / "small"
    place.mkdir()
    made = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=False
        ).returncode
    )
    yield place
    if made:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_one_that_fills_its_disk(machine: Machine, small_disk: Path) -> None:
    """As root on a disk that is full indeed; else by the size that a file may have."""
    limit = "ulimit -f 8192; " if os.geteuid() else ""
    script = f"{limit}cd {small_disk}; echo loss=0.1; dd if=/dev/zero of=weights bs=64k count=640"
    state, message = only_trial(machine, f"{script} || exit 1")

    assert state == "Failed"
    assert "No space left" in message or "File too large" in message or "status 153" in message
    assert machine.stored().popitem()[1] == ["0.1"]


def test_one_that_fills_the_disk_of_the_state_directory(machine: Machine, small_disk: Path) -> None:
    """No output is lost silently: the run ends with what to do, and continues later."""
    if os.geteuid():
        pytest.skip("only root can make a small disk; CI runs as root")
    fill = "[ -e filled ] || dd if=/dev/zero of=small/filler bs=64k count=640 2>/dev/null"
    script = f"{fill}; touch filled; echo loss=0.1"
    machine.write(experiment(command=["sh", "-c", f"{script}; : ${{trialParameters.lr}}"], **ONE))
    status, out, err = machine.call("run", "e.yaml", "--state-dir", str(small_disk / "state"))
    (small_disk / "filler").unlink(missing_ok=True)

    again, output, _ = machine.call("run", "e.yaml", "--state-dir", str(small_disk / "state"))

    assert status == 2, out
    assert "make room, then run again" in err
    assert "Traceback" not in err
    assert again == 0, output
