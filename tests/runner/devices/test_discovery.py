"""The GPUs of this machine: nvidia-smi, the variables of the caller, --gpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import UserError
from runner.devices.discovery import Discovered, Machine, discover, list_gpus
from tests.runner.devices.machines import TWO_GPUS, fake_nvidia_smi, machine

NVIDIA, AMD = "nvidia.com/gpu", "amd.com/gpu"
MIG = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6)
  MIG 1g.5gb      Device  0: (UUID: MIG-2a4fbe60)
  MIG 1g.5gb      Device  1: (UUID: MIG-64fd2d6a)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-0a1b2c3d)
"""


def gpus(found: Discovered, kind: str = NVIDIA) -> tuple[str, ...]:
    return found.pool[kind]


def test_nvidia_smi_lists_the_gpus() -> None:
    found = discover([NVIDIA], None, machine(TWO_GPUS))

    assert (gpus(found), found.sources[NVIDIA]) == (("0", "1"), "nvidia-smi")
    assert found.environ == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}  # as nvidia-smi numbers them


def test_parts_of_a_gpu_are_devices_of_their_own() -> None:
    assert gpus(discover([NVIDIA], None, machine(MIG))) == ("MIG-2a4fbe60", "MIG-64fd2d6a", "1")


def test_without_nvidia_smi_the_device_files_count(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()

    assert gpus(discover([NVIDIA], None, machine(dev=tmp_path))) == ("0", "2", "10")


@pytest.mark.parametrize(
    ("visible", "pool"),
    [
        ("2,3", ("2", "3")),
        (" 1 , 0", ("1", "0")),
        ("GPU-5d5b,MIG-64fd", ("GPU-5d5b", "MIG-64fd")),
        ("", ()),
        ("-1", ()),
        ("1,-1,2", ("1",)),  # as CUDA reads it
        ("1,1", ("1",)),
        ("NoDevFiles", ("NoDevFiles",)),
    ],
)
def test_the_callers_variable_is_the_pool(visible: str, pool: tuple[str, ...]) -> None:
    found = discover([NVIDIA], None, machine(TWO_GPUS, CUDA_VISIBLE_DEVICES=visible))

    assert gpus(found) == pool
    assert found.sources[NVIDIA] == f"CUDA_VISIBLE_DEVICES={visible}"
    assert found.environ == {}  # the caller's numbers keep their meaning


def test_the_flag_names_devices() -> None:
    found = discover([NVIDIA], "1,0", machine())

    assert (gpus(found), found.sources[NVIDIA]) == (("1", "0"), "--gpus")


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("0,,1", "--gpus '0,,1' cannot be read: write numbers as nvidia-smi does, such as 0,1"),
        ("two", "--gpus 'two' cannot be read"),
        ("1,1", "--gpus '1,1' names a device twice"),
        ("0,3", "--gpus names 0, which is not in CUDA_VISIBLE_DEVICES=2,3: name other devices"),
    ],
)
def test_a_wrong_flag_is_refused_with_a_remedy(flag: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        discover([NVIDIA], flag, machine(CUDA_VISIBLE_DEVICES="2,3"))

    assert str(refused.value).startswith(said)


def test_without_gpus_none_is_looked_for() -> None:
    found = discover([NVIDIA], "none", machine(TWO_GPUS))

    assert found.without_gpus
    assert NVIDIA not in found.pool


def test_amds_gpus_are_nodes_that_can_compute(tmp_path: Path) -> None:
    for i, count in enumerate((0, 304, 304)):  # the first is the CPU
        (tmp_path / str(i)).mkdir()
        (tmp_path / str(i) / "properties").write_text(f"cpu_cores_count 0\nsimd_count {count}\n")
    found = discover([AMD], None, machine(kfd=tmp_path))
    below = discover([AMD], None, machine(kfd=tmp_path, ROCR_VISIBLE_DEVICES="1"))

    assert (gpus(found, AMD), found.variables) == (("0", "1"), {AMD: "HIP_VISIBLE_DEVICES"})
    assert (gpus(below, AMD), below.variables) == (("1",), {AMD: "ROCR_VISIBLE_DEVICES"})


def test_the_program_is_called(tmp_path: Path) -> None:
    environ = {"PATH": f"{fake_nvidia_smi(tmp_path, TWO_GPUS)}:/usr/bin:/bin"}
    broken = {"PATH": f"{fake_nvidia_smi(tmp_path / 'b', 'No devices were found', 6)}:/bin"}

    assert list_gpus(environ) == TWO_GPUS
    assert list_gpus(broken) == ""
    assert list_gpus({"PATH": str(tmp_path / "none")}) == ""
    assert isinstance(Machine(environ={}).cpus(), set)
