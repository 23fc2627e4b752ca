"""A collector that cannot start reports the cause to the log, the pod, and the launchers."""

from __future__ import annotations

import contextlib

from api.errors import TrialwatchError
from api.sidecar import Salvage
from collector.control_fifo import ControlFifo
from collector.core.summary import summary_of
from collector.disk_files import DiskFiles
from collector.end_signal import EndSignal
from collector.json_log import JsonLog
from collector.launched_trainer import LaunchedTrainer
from collector.shared_volume import SharedVolume
from collector.termination_log import write_termination_message

BAD_SETUP = 2
"""The exit status after faults that no retry mends; a supervisor takes it as final."""
_LOOK_SECONDS = 0.5
"""Seconds between two looks for a new attempt."""


def give_up(salvage: Salvage, cause: str, end_signal: EndSignal) -> int:
    """Report why nothing will be collected; return the exit status.

    An ordinary sidecar ends at once. A native sidecar stays until it is told to end, because the
    kubelet would restart it; meanwhile it tells the launcher of each attempt not to wait.
    """
    JsonLog().fail(cause)
    message = summary_of({"delivered": False, "why": cause}, {}, ())
    write_termination_message(salvage.termination_log, message)
    if not salvage.native:
        return BAD_SETUP
    fifo = ControlFifo(salvage.run_dir)
    trainer = LaunchedTrainer(salvage.run_dir, DiskFiles(SharedVolume(salvage.run_dir)), fifo)
    informed = set[int]()
    while not end_signal.received.wait(_LOOK_SECONDS):
        with contextlib.suppress(TrialwatchError, OSError):
            for attempt in trainer.started():
                if attempt not in informed and fifo.delivered(attempt, cause):
                    informed.add(attempt)
    return 0
