"""Pods for tests, and a machine that runs them."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from runner.pods.container_launch import Folders, Machine
from runner.pods.own_programs import launcher_program
from runner.pods.pod_lifecycle import PodLifecycle
from runner.pods.pod_spec import read_pod
from runner.pods.spawner_client import SpawnerClient, start_spawner
from runner.pods.statuses import PodStatus

PATIENCE = 60.0


def container(*command: str, name: str = "main", **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"name": name, "image": "none", "command": list(command), **parts}


def shell(script: str, name: str = "main", **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return container("sh", "-c", script, name=name, **parts)


def pod(*containers: dict[str, Any], name: str = "pod", **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "ns", "labels": {"app": "mnist"}},
        "spec": {"restartPolicy": "Never", "containers": list(containers), **spec},
    }


class Node:
    """One machine of the smallest cluster."""

    def __init__(self, folder: Path, line: SpawnerClient, machine: Machine) -> None:
        self.folder, self.line, self.machine = folder, line, machine
        self.seen: list[PodStatus] = []

    def life(self, document: dict[str, Any]) -> PodLifecycle:
        name = document["metadata"]["name"]
        folders = Folders(
            volumes=str(self.folder / name / "volumes"),
            termination_messages=str(self.folder / name / "words"),
            staging=str(self.folder / name / "root"),
            logs=str(self.folder / name / "logs"),
        )
        return PodLifecycle(read_pod(document), self.machine, folders, self.line, self.seen.append)

    async def run(self, document: dict[str, Any]) -> PodStatus:
        return await self.life(document).run()

    def log(self, name: str = "main", pod_name: str = "pod") -> str:
        return (self.folder / pod_name / "logs" / f"{name}.log").read_text()


@asynccontextmanager
async def node(
    folder: Path, *, no_mounts: str | None = None, **environ: str
) -> AsyncIterator[Node]:
    """Set a machine up; with `no_mounts` it pretends to be one that can mount nothing."""
    (folder / "probe").mkdir(parents=True)
    async with start_spawner(str(folder / "probe")) as line:
        machine = Machine(
            python=sys.executable,
            launcher=launcher_program(),
            environ={**os.environ, **environ},
            cwd=str(folder),
            no_mounts=line.no_mounts if no_mounts is None else no_mounts,
        )
        yield Node(folder, line, machine)


async def eventually(what: Callable[[], object], why: str = "it never came true") -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, why
        await asyncio.sleep(0.02)


def processes_with(mark: str) -> list[str]:
    """Return the command lines of all processes that have a mark in their environment."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in environ.read_bytes():
                command = (environ.parent / "cmdline").read_bytes()
                if command:  # else it has ended, and waits to be reaped
                    found.append(command.replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
