"""Find the GPUs and CPUs of this machine that trials may use."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from api.errors import UserError
from runner.devices.allocation import Devices
from runner.pods.pod_resources import AMD, CPU, NVIDIA

NO_GPUS: Final = "none"
"""The value of --gpus with which trials run without GPUs."""
_SECONDS = 60
"""The longest wait for nvidia-smi; on a machine with many GPUs it takes some seconds."""
_GPU = re.compile(r"GPU (\d+):")
_UUID = re.compile(r"^GPU (\d+):.*\(UUID: (GPU-[^)\s]+)\)", re.MULTILINE)
_MIG = re.compile(r"\s+MIG .*\(UUID: (MIG-[^)\s]+)\)")
_DEVICE = re.compile(r"nvidia(\d+)")
_ORDER = "CUDA_DEVICE_ORDER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where devices are found; tests have another machine."""

    environ: Mapping[str, str]
    list_gpus: Callable[[], str] = lambda: ""
    """Return the output of `nvidia-smi -L`; "" if it cannot run."""
    dev: Path = Path("/dev")
    kfd: Path = Path("/sys/class/kfd/kfd/topology/nodes")
    """The nodes of AMD's driver: a GPU is a node with `simd_count` above 0."""
    cpus: Callable[[], Collection[int]] = lambda: os.sched_getaffinity(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """The devices that trials may use."""

    pool: Devices
    sources: Mapping[str, str] = field(default_factory=dict)
    """By kind: where the devices, or their absence, are known from."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """By kind of GPU: the variable with the devices that a process may see."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Variables that each trial needs besides."""
    without_gpus: bool = False
    """Whether trials that need GPUs run without them."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """By UUID of a GPU: its number, if it is known."""


def discover(kinds: Collection[str], gpus: str | None, machine: Machine) -> Discovered:
    """Find devices of these kinds; `gpus` is the value of --gpus, None if it is not given.

    Raises:
        UserError: `gpus` cannot be used.
    """
    wanted = [kind for kind in (NVIDIA, AMD) if kind in kinds]
    pools: dict[str, tuple[str, ...]] = {CPU: tuple(map(str, sorted(machine.cpus())))}
    sources, variables, environ = {CPU: "its CPUs"}, {}, {}
    for kind in wanted:
        variables[kind] = _variable(kind, machine.environ)
        if gpus == NO_GPUS:
            continue
        pools[kind], sources[kind] = _pool(kind, variables[kind], gpus, machine)
        if kind == NVIDIA and variables[kind] not in machine.environ:
            # The numbers are those of nvidia-smi, and not CUDA's own, which sorts by speed.
            environ = {_ORDER: machine.environ.get(_ORDER, "PCI_BUS_ID")}
    return Discovered(
        pool=pools,
        sources=sources,
        variables=variables,
        environ=environ,
        without_gpus=gpus == NO_GPUS,
        numbers=_numbers(pools.get(NVIDIA, ()), machine),
    )


def _numbers(names: Collection[str], machine: Machine) -> dict[str, str]:
    """Return the number of each GPU that is named by its UUID, or by the start of it."""
    uuids = [name for name in names if name.startswith("GPU-")]
    listed = _UUID.findall(machine.list_gpus()) if uuids else []
    return {name: number for name in uuids for number, uuid in listed if uuid.startswith(name)}


def _variable(kind: str, environ: Mapping[str, str]) -> str:
    if kind == NVIDIA:
        return "CUDA_VISIBLE_DEVICES"
    rocr = "ROCR_VISIBLE_DEVICES"  # below HIP; both together would select twice
    return (
        rocr if rocr in environ and "HIP_VISIBLE_DEVICES" not in environ else "HIP_VISIBLE_DEVICES"
    )


def _pool(
    kind: str, variable: str, gpus: str | None, machine: Machine
) -> tuple[tuple[str, ...], str]:
    """Return the devices of a kind, and where they are known from."""
    visible = machine.environ.get(variable)
    allowed = None if visible is None else _visible(visible)
    if gpus is not None:
        return _named(gpus, variable, allowed), "--gpus"
    if allowed is not None:
        return allowed, f"{variable}={visible}"
    return _nvidia(machine) if kind == NVIDIA else _amd(machine)


def _visible(text: str) -> tuple[str, ...]:
    """Return the devices of a variable, as CUDA does: up to the first that is not a device."""
    names: list[str] = []
    for name in (part.strip() for part in text.split(",")):
        if not name or name.startswith("-"):
            break
        names.append(name)
    return tuple(dict.fromkeys(names))


def _named(gpus: str, variable: str, allowed: tuple[str, ...] | None) -> tuple[str, ...]:
    names = tuple(part.strip() for part in gpus.split(","))
    wrong = [name for name in names if not re.fullmatch(r"\d+|[A-Za-z]+-[\w./-]+", name)]
    if wrong:
        raise UserError(
            f"--gpus {gpus!r} cannot be read: write numbers as nvidia-smi does, such as 0,1, or"
            f" {NO_GPUS}"
        )
    if len(set(names)) < len(names):
        raise UserError(f"--gpus {gpus!r} names a device twice: name each device once")
    if allowed is not None and (outside := [name for name in names if name not in allowed]):
        raise UserError(
            f"--gpus names {outside[0]}, which is not in {variable}={','.join(allowed)}: name other"
            " devices, or unset the variable"
        )
    return names


def _nvidia(machine: Machine) -> tuple[tuple[str, ...], str]:
    listed = parse_list(machine.list_gpus())
    if listed:
        return listed, "nvidia-smi"
    numbers = [_DEVICE.fullmatch(path.name) for path in _entries(machine.dev)]
    found = sorted(int(match[1]) for match in numbers if match)
    source = f"{machine.dev}/nvidia*" if found else "no nvidia-smi, no /dev/nvidia0"
    return tuple(map(str, found)), source


def parse_list(text: str) -> tuple[str, ...]:
    """Read the output of `nvidia-smi -L`: the numbers of the GPUs.

    A GPU that is split into MIG devices stands for these, because it cannot be used as a whole.
    """
    devices: dict[str, list[str]] = {}
    for line in text.splitlines():
        if gpu := _GPU.match(line):
            devices[gpu[1]] = []
        elif (mig := _MIG.match(line)) and devices:
            [*devices.values()][-1].append(mig[1])
    return tuple(name for gpu, migs in devices.items() for name in (migs or [gpu]))


def _amd(machine: Machine) -> tuple[tuple[str, ...], str]:
    count = sum(_is_gpu(node) for node in _entries(machine.kfd))
    return tuple(map(str, range(count))), "AMD's driver" if count else "no AMD driver"


def _is_gpu(node: Path) -> bool:
    try:
        text = (node / "properties").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    match = re.search(r"^simd_count (\d+)$", text, re.MULTILINE)
    return match is not None and int(match[1]) > 0


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def list_gpus(environ: Mapping[str, str]) -> str:
    """Return the output of `nvidia-smi -L`; "" if it is not installed, fails or does not answer."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"],  # noqa: S607 - the user's PATH decides
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
