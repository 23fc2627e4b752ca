"""What the watcher of a run sees: its state after each change, and the newest values."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from itertools import count

from api.errors import RemoteError
from controller.reconcile.experiment_states import failed_because
from controller.reconcile.trial_order import in_order
from controller.reconcile.trial_states import has_ended
from runner.experiment_end import ExperimentEnd
from runner.parts import Parts, RunPlan
from runner.state.objects import FileObjects
from runner.watcher import CannotSucceed, Snapshot

REFRESH = 0.2
"""Seconds between two updates of the user interface."""
_LOOKS = 5
"""Every n-th update reads the newest metrics of running trials from the store."""


class Progress:
    """Shows a run to its watcher."""

    def __init__(self, plan: RunPlan, objects: FileObjects, end: ExperimentEnd) -> None:
        self._plan, self._objects, self._end = plan, objects, end
        self.parts: Parts | None = None
        """Of the run, while it works."""
        self.latest: Mapping[str, Mapping[str, str]] = {}
        """By running trial and metric: the newest stored value."""
        self.stopping = False
        """Whether the user has interrupted the run."""
        self.refusal: CannotSucceed | None = None
        """Why the watcher has ended the experiment, if it has."""

    async def show_changes(self) -> None:
        """Show each change of the state, until the task is cancelled."""
        last: Snapshot | None = None
        for look in count():
            if look % _LOOKS == 0:
                self.latest = await self._measured()
            snapshot = self.snapshot()
            if snapshot != last:
                self.show(snapshot)
                last = snapshot
            await asyncio.sleep(REFRESH)

    def show(self, snapshot: Snapshot) -> None:
        """Show a state; end the experiment if no trial can succeed."""
        try:
            self._plan.watcher.show(snapshot)
        except CannotSucceed as error:
            self.refusal = error
            self._end.end(failed_because(f"Experiment has failed because {error.cause}"))

    def snapshot(self) -> Snapshot:
        """Return the state at this moment."""
        fitted, jobs = self._plan.fitted, self.parts.jobs if self.parts is not None else None
        failures = jobs.failures() if jobs is not None else {}
        return Snapshot(
            experiment=self._objects.stored_experiment or fitted.given.experiment,
            trials=in_order(tuple(self._objects.all_trials.values())),
            latest=self.latest,
            running=jobs.running if jobs is not None else 0,
            waiting=jobs.waiting if jobs is not None else {},
            retries={name: starts.number for name, starts in failures.items()},
            note=fitted.note,
            ending=self.stopping and not self._end.is_over,
        )

    async def _measured(self) -> Mapping[str, Mapping[str, str]]:
        """Return the newest values of the running trials."""
        if self.parts is None:
            return {}
        latest = {}
        for trial in [*self._objects.all_trials.values()]:
            if not has_ended(trial):
                with contextlib.suppress(RemoteError):
                    found = await self.parts.observations.summary(trial)
                    latest[trial.metadata.name] = {one.name: one.last for one in found}
        return latest
