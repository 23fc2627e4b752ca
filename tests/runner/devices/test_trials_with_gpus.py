"""`trialwatch run` on a machine with pretended GPUs: no GPU has two trials, none is lost."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.runner.devices.machines import TWO_GPUS, fake_nvidia_smi
from tests.runner.experiment_runs import Machine, experiment, wait_for

# A trial takes its GPU by making a folder, which fails if another trial has this GPU.
SCRIPT = (
    "mkdir gpu-$CUDA_VISIBLE_DEVICES || { echo taken >> faults; exit 1; };"
    " echo $CUDA_VISIBLE_DEVICES >> used; echo loss=${trialParameters.lr}; %s;"
    " rmdir gpu-$CUDA_VISIBLE_DEVICES"
)


def with_gpu(command: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    document = experiment(command=["sh", "-c", command], **spec)
    job = document["spec"]["trialTemplate"]["trialSpec"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    container["resources"] = {"limits": {"nvidia.com/gpu": 1}}
    return document


def used(machine: Machine) -> list[str]:
    path = machine.folder / "used"
    return path.read_text().split() if path.exists() else []


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with an nvidia-smi that lists two GPUs."""
    return f"{fake_nvidia_smi(tmp_path / 'bin', TWO_GPUS)}:{os.environ['PATH']}"


def test_trials_share_the_gpus_and_the_screen_says_why_they_wait(
    machine: Machine, path: str
) -> None:
    machine.write(with_gpu(SCRIPT % "sleep 0.3", maxTrialCount=6, parallelTrialCount=4))
    status, out, err = machine.call("run", "e.yaml", "--parallel", "4", PATH=path)

    assert (status, err) == (0, "")
    assert sorted(set(used(machine))) == ["0", "1"]
    assert len(used(machine)) == 6
    assert not (machine.folder / "faults").exists()
    reason = "each trial needs 1 GPU, and this machine has 2 GPUs (nvidia-smi)"
    assert f"\nothers wait: {reason}\n" in out
    assert re.search(r"^quick-\w+ is waiting for a GPU$", out, re.MULTILINE)


def test_a_gpu_is_free_again_after_a_failure_and_a_retry(machine: Machine) -> None:
    script = (
        "echo $CUDA_VISIBLE_DEVICES >> used; echo loss=${trialParameters.lr};"
        " [ $(wc -l < used) -gt 2 ]"
    )
    machine.write(with_gpu(script, maxTrialCount=3, job_spec={"backoffLimit": 3}))
    status, out, _ = machine.call("run", "e.yaml", "--gpus", "7")

    assert status == 0
    assert used(machine) == ["7"] * 5
    assert "1 at a time: each trial needs 1 GPU, and this machine has 1 GPU (--gpus)" in out


def test_after_a_kill_the_next_run_has_all_gpus(machine: Machine, path: str) -> None:
    waits = "echo $CUDA_VISIBLE_DEVICES >> used; until [ -e go ]; do sleep 0.05; done"
    machine.write(with_gpu(f"{waits}; echo loss=${{trialParameters.lr}}"))
    killed = machine.start("run", "e.yaml", PATH=path)
    wait_for(lambda: len(used(machine)) == 2)
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=60)
    (machine.folder / "go").touch()
    status, _, err = machine.call("run", "e.yaml", PATH=path)

    assert (status, err) == (0, "")
    assert sorted(used(machine)[:2]) == ["0", "1"]
    assert len(used(machine)) == 6


def test_too_many_gpus_end_the_command_before_anything_is_stored(machine: Machine) -> None:
    machine.write(with_gpu("true ${trialParameters.lr}"))
    status, out, err = machine.call("run", "e.yaml", PATH="/usr/bin:/bin", CUDA_VISIBLE_DEVICES="")

    assert (status, out) == (2, "")
    assert "this machine has no NVIDIA GPU (CUDA_VISIBLE_DEVICES=): run without GPUs by" in err
    assert len(err.splitlines()) == 1
    assert not machine.state().exists()


def test_pinned_trials_run_on_cpus_of_their_own(machine: Machine) -> None:
    script = "grep Cpus_allowed_list /proc/self/status >> used; echo loss=${trialParameters.lr}"
    document = experiment(command=["sh", "-c", script], maxTrialCount=2)
    job = document["spec"]["trialTemplate"]["trialSpec"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    container["resources"] = {"requests": {"cpu": "500m"}}
    machine.write(document)
    status, _, err = machine.call("run", "e.yaml", "--pin")

    assert (status, err) == (0, "")
    cpus = [line for line in used(machine) if not line.startswith("Cpus")]
    assert len(cpus) == 2
    assert {int(one) for one in cpus} <= os.sched_getaffinity(0)
