"""What an earlier runner left of a pod: a trainer that had ended, its metrics perhaps on the way.

A runner that is killed takes its pods with it, and a trial that was at work begins anew. But a
trainer that had ended by itself has done its work: how it ended stands in its run directory, and
what it printed too. So the collector alone is started once more, to deliver the rest, and the pod
counts as what it was. A trial is neither trained twice nor counted twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path

from api.names import COLLECTOR_CONTAINER, RUN_VOLUME
from api.run_directory import ExitRecord
from runner.jobs.delivery import delivered, last_exit
from runner.pods.container import now
from runner.pods.documents import Pod
from runner.pods.life import PodLife
from runner.pods.statuses import ContainerStatus, Phase, PodStatus, Terminated
from runner.pods.tails import tail

INTERRUPTED = "interrupted"
"""In a pod's folder: the pod was ended with the runner, and what it did does not count."""
JUDGED = "judged"
"""In a pod's folder: its failure was counted."""
_LOOK = 0.02
"""Seconds between two looks at a delivery that is awaited."""
_LAST_LINES = 2048


def left_behind(folder: Path) -> Path | None:
    """Find a pod, by its folder, whose trainer has ended by itself and was not yet judged."""
    found = [one for one in folder.glob("*") if _counts(one)]
    return max(found, key=lambda one: one.stat().st_mtime, default=None)


def _counts(pod: Path) -> bool:
    record = last_exit(run_dir_of(pod))
    if record is None or not record.complete:  # the disk was full: part of its output is lost
        return False
    by_itself = record.status is not None or record.stopped
    return by_itself and not any((pod / mark).exists() for mark in (INTERRUPTED, JUDGED))


def run_dir_of(pod: Path) -> Path:
    """Return the run directory of a pod's folder."""
    return pod / "volumes" / RUN_VOLUME


class Delivery(PodLife):
    """A pod of which the collector alone is run, until all is stored."""

    patience: float = 30.0
    """Seconds, as a finished trainer's container would wait."""

    async def work(self) -> None:
        """Wait for the delivery."""
        run_dir = Path(self.folders.volumes, RUN_VOLUME)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience):
                while not delivered(run_dir):  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(_LOOK)


def collector_of(pod: Pod) -> Pod:
    """Return a pod of its collector alone, where it has one; else of nothing."""
    sidecars = tuple(one for one in pod.init_containers if one.name == COLLECTOR_CONTAINER)
    return replace(pod, init_containers=sidecars, containers=())


def judged(folder: Path, log: Path, container: str, sidecars: PodStatus) -> PodStatus:
    """Say what the pod had become, by its launcher's record."""
    record = last_exit(run_dir_of(folder))
    end = _end(record, log)
    one = ContainerStatus(name=container, terminated=end)
    phase = Phase.SUCCEEDED if end.status == 0 else Phase.FAILED
    return replace(sidecars, phase=phase, reason="", message="", containers=(one,))


def _end(record: ExitRecord | None, log: Path) -> Terminated:
    moment = now()
    if record is not None and (record.stopped or record.status == 0):
        return Terminated(status=0, reason="Completed", started=moment, finished=moment)
    status = 1 if record is None or record.status is None else record.status
    words = tail(str(log), _LAST_LINES)
    return Terminated(status=status, reason="Error", message=words, started=moment, finished=moment)
