"""Two runs on one machine: no device has pods of both, and a killed run leaves none locked."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from pathlib import Path

from runner.devices.discovery import discover
from runner.devices.leases import DeviceLeases
from runner.devices.locks import open_locks, usual_folder
from tests.polling import eventually
from tests.runner.devices.machines import TWO_GPUS, fake_nvidia_smi, gpus, machine
from tests.runner.devices.test_leases import GPU, needing, seen
from tests.runner.devices.test_trials_with_gpus import with_gpu
from tests.runner.experiment_runs import Machine, wait_for

NVIDIA = "nvidia.com/gpu"
TWO = {(NVIDIA, "0"): "0", (NVIDIA, "1"): "1"}


async def test_a_pod_waits_for_the_device_of_another_run(tmp_path: Path) -> None:
    never = asyncio.Event()
    with open_locks(TWO, tmp_path / "a") as ours, open_locks(TWO, tmp_path / "a") as theirs:
        one, other = (DeviceLeases(gpus("0", "1"), locks=locks) for locks in (ours, theirs))
        first = await one.acquire(needing("a", GPU), never)
        second = await other.acquire(needing("a", GPU), never)
        third = asyncio.create_task(other.acquire(needing("b", GPU), never))
        await eventually(lambda: other.waits_for("b") != "")

        assert (seen(first), seen(second)) == (["0"], ["1"])
        assert other.waits_for("b") == "waiting for a GPU (in use by another run)"
        one.release("a")
        assert seen(await third) == ["0"]
        assert other.waits_for("b") == ""


async def test_a_run_that_has_ended_frees_its_devices(tmp_path: Path) -> None:
    never = asyncio.Event()
    with open_locks(TWO, tmp_path) as theirs:
        other = DeviceLeases(gpus("0", "1"), locks=theirs)
        with open_locks(TWO, tmp_path) as ours:
            await DeviceLeases(gpus("0", "1"), locks=ours).acquire(needing("a", GPU, GPU), never)
            waits = asyncio.create_task(other.acquire(needing("b", GPU, GPU), never))
            await eventually(lambda: other.waits_for("b") != "")

        assert seen(await waits) == ["0", "1"]


def test_the_files_are_for_all_users_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with open_locks({(NVIDIA, "MIG-a/b"): "MIG-a/b"}, tmp_path / "locks") as locks:
            assert (len(locks.descriptors), locks.problem) == (1, "")
    finally:
        os.umask(before)

    [file] = (tmp_path / "locks").iterdir()
    assert file.name == "nvidia.com_gpu-MIG-a_b"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o1777


def test_without_a_directory_for_locks_trials_run_and_a_warning_says_why(tmp_path: Path) -> None:
    (tmp_path / "locks").symlink_to(tmp_path)
    with open_locks(TWO, tmp_path / "locks") as locks:
        assert locks.take((NVIDIA, "0"))
        assert locks.problem.startswith(f"cannot lock the devices in {tmp_path}/locks (")
        assert "give each run its own by --gpus" in locks.problem


def test_a_uuid_and_a_number_are_the_same_device() -> None:
    found = discover([NVIDIA], "GPU-0a1b2c3d,0", machine(TWO_GPUS))

    assert found.pool[NVIDIA] == ("GPU-0a1b2c3d", "0")
    assert found.numbers == {"GPU-0a1b2c3d": "1"}


def test_the_directory_is_the_same_for_all_users_unless_a_variable_names_one() -> None:
    assert usual_folder({}).name == "trialwatch-devices"
    assert usual_folder({"TRIALWATCH_DEVICE_LOCKS": "/x"}) == Path("/x")


def test_two_runs_side_by_side_share_the_gpus_and_a_killed_one_frees_its_own(
    machine: Machine, tmp_path: Path
) -> None:
    path = f"{fake_nvidia_smi(tmp_path / 'bin', TWO_GPUS)}:{os.environ['PATH']}"
    waits = "echo $CUDA_VISIBLE_DEVICES >> used; until [ -e go ]; do sleep 0.05; done"
    machine.write(with_gpu(f"{waits}; echo loss=${{trialParameters.lr}}", name="first"))
    takes = "echo $CUDA_VISIBLE_DEVICES >> taken; echo loss=${trialParameters.lr}"
    machine.write(with_gpu(takes, name="second", maxTrialCount=2), "second.yaml")
    used, taken = machine.folder / "used", machine.folder / "taken"

    first = machine.start("run", "e.yaml", PATH=path)
    wait_for(lambda: used.exists() and len(used.read_text().split()) == 2)
    second = machine.start("run", "second.yaml", PATH=path)
    assert second.stdout is not None
    for line in second.stdout:
        if line.endswith("is waiting for a GPU (in use by another run)\n"):
            break
    assert not taken.exists()
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=60)
    _, err = second.communicate(timeout=60)

    assert (second.returncode, err) == (0, "")
    assert {*taken.read_text().split()} <= {"0", "1"}
