"""Show the progress of a run on the screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from runner.jobs.job_run import LEAVING
from runner.watcher import Snapshot
from trialwatch.screens.screen import RunScreen
from ui.model.experiment_summary import ExperimentSummary, RunState, summary_of
from ui.model.formatting import counted

Check = Callable[[Snapshot], None]
"""Looks at the state of a run; raises a UserError to end the run."""


class RunWatcher:
    """`runner.watcher.Watcher`: shows snapshots on the screen."""

    def __init__(self, screen: RunScreen, command: str, check: Check | None = None) -> None:
        self._screen, self._command, self._check = screen, command, check

    def show(self, snapshot: Snapshot) -> None:
        """Show a new state."""
        self._screen.show(summary_at(snapshot))
        if self._check is not None:
            self._check(snapshot)

    def tell(self, text: str) -> None:
        """Show a line about an event."""
        self._screen.tell(text)

    def warn(self, text: str) -> None:
        """Show a warning."""
        self._screen.warn(f"trialwatch {self._command}: {text}")


def summary_at(snapshot: Snapshot, *, interrupted: bool = False) -> ExperimentSummary:
    """Return what is shown now; `interrupted` if the run has ended before the experiment."""
    run = RunState(
        interrupted=interrupted,
        notice="" if interrupted else _notice(snapshot),
        waiting=snapshot.waiting,
        retries=snapshot.retries,
        note=snapshot.note,
    )
    now = datetime.now(UTC)
    return summary_of(snapshot.experiment, snapshot.trials, snapshot.latest, now, run)


def _notice(snapshot: Snapshot) -> str:
    if not snapshot.ending:
        return ""
    if not snapshot.running:
        return "interrupted: ending"
    running = counted(snapshot.running, "trial")
    return f"interrupted: ending {running}, within {LEAVING:g} s; Ctrl-C again kills at once"
