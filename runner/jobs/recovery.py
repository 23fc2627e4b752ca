"""Recover a pod of an earlier runner whose trainer had ended, but whose metrics may be missing.

If a runner is killed, its pods are killed too, and running trials start again. But if a trainer had
ended by itself, its run directory has its result and its output. Then only the collector starts
again, to deliver the rest, and the pod keeps its result. So a trial is neither trained nor counted
twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path

from api.names import COLLECTOR_CONTAINER, RUN_VOLUME
from api.run_directory import ExitRecord
from runner.jobs.delivery import delivered, last_exit
from runner.pods.container_lifecycle import now
from runner.pods.log_tail import tail
from runner.pods.pod_lifecycle import PodLifecycle
from runner.pods.pod_spec import Pod
from runner.pods.statuses import ContainerStatus, Phase, PodStatus, Terminated

INTERRUPTED = "interrupted"
"""A file in a pod's folder: the runner ended the pod, so its result does not count."""
JUDGED = "judged"
"""A file in a pod's folder: its failure is already counted."""
_LOOK = 0.02
"""Seconds between two checks of the delivery."""
_LAST_LINES = 2048


def left_behind(folder: Path) -> Path | None:
    """Return the folder of a pod whose trainer has ended and whose result is not yet counted."""
    found = [one for one in folder.glob("*") if _counts(one)]
    return max(found, key=lambda one: one.stat().st_mtime, default=None)


def _counts(pod: Path) -> bool:
    record = last_exit(run_dir_of(pod))
    if record is None or not record.complete:  # a full disk: a part of the output is lost
        return False
    by_itself = record.status is not None or record.stopped
    return by_itself and not any((pod / mark).exists() for mark in (INTERRUPTED, JUDGED))


def run_dir_of(pod: Path) -> Path:
    """Return the run directory of a pod's folder."""
    return pod / "volumes" / RUN_VOLUME


class Delivery(PodLifecycle):
    """A pod that runs only its collector, until all metrics are stored."""

    patience: float = 30.0
    """The longest wait, in seconds, as that of a finished trainer's container."""

    async def work(self) -> None:
        """Wait for the delivery."""
        run_dir = Path(self.folders.volumes, RUN_VOLUME)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience):
                while not delivered(run_dir):  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(_LOOK)


def collector_of(pod: Pod) -> Pod:
    """Return the pod with only its collector, or without containers if it has none."""
    sidecars = tuple(one for one in pod.init_containers if one.name == COLLECTOR_CONTAINER)
    return replace(pod, init_containers=sidecars, containers=())


def recovered_status(folder: Path, log: Path, container: str, sidecars: PodStatus) -> PodStatus:
    """Return the pod's status by its launcher's exit record."""
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
    last_lines = tail(str(log), _LAST_LINES)
    return Terminated(
        status=status, reason="Error", message=last_lines, started=moment, finished=moment
    )
