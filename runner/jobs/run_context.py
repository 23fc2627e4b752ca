"""What the jobs of a run share, and where a job has its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runner.devices.leases import DeviceLeases
from runner.pods.container_launch import Folders, Machine
from runner.pods.spawner_client import SpawnerClient
from webhook.model.config import Config


def _nothing(_text: str) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What all jobs of a run share: spawner, machine and settings."""

    spawner: SpawnerClient
    machine: Machine
    config: Config
    checkpoints: Path
    """The volume of the checkpoints of trials."""
    tell: Callable[[str], None] = _nothing
    """Shows the user a line about an event."""
    devices: DeviceLeases = field(default_factory=DeviceLeases)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFolders:
    """The folders of a job: for its pods, and for their logs, which stay after the job."""

    pods: Path
    logs: Path

    def of_pod(self, name: str) -> Folders:
        """Return the folders of a pod."""
        folder = self.pods / name
        return Folders(
            volumes=str(folder / "volumes"),
            termination_messages=str(folder / "words"),
            staging=str(folder / "root"),
            logs=str(self.logs / name),
        )
