"""Pretended machines with GPUs, for tests."""

from __future__ import annotations

import shlex
from pathlib import Path

from runner.devices.discovery import Discovered, Machine

TWO_GPUS = """\
GPU 0: NVIDIA GeForce RTX 3090 (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
GPU 1: NVIDIA GeForce RTX 3090 (UUID: GPU-0a1b2c3d-d33d-2b2c-524d-9e3d8d2b8a77)
"""
NOWHERE = Path("/nonexistent")


def machine(
    listed: str = "", *, dev: Path = NOWHERE, kfd: Path = NOWHERE, cpus: int = 4, **environ: str
) -> Machine:
    """Return a machine whose nvidia-smi prints `listed`."""
    return Machine(
        environ=environ, list_gpus=lambda: listed, dev=dev, kfd=kfd, cpus=lambda: range(cpus)
    )


def gpus(*names: str, cpus: int = 4, without: bool = False) -> Discovered:
    """Return these NVIDIA GPUs."""
    return Discovered(
        pool={"cpu": tuple(map(str, range(cpus))), "nvidia.com/gpu": names},
        sources={"cpu": "", "nvidia.com/gpu": "nvidia-smi"},
        variables={"nvidia.com/gpu": "CUDA_VISIBLE_DEVICES"},
        without_gpus=without,
    )


def fake_nvidia_smi(folder: Path, listed: str, status: int = 0) -> Path:
    """Write a program `nvidia-smi` that prints a list; return its folder, for PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\nprintf '%s' {shlex.quote(listed)}\nexit {status}\n")
    program.chmod(0o755)
    return folder
