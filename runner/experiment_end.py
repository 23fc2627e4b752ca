"""When a run is over, and how it ends an experiment before the search has ended it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from api.objects.validation_update import completed
from api.types import Trial
from controller.reconcile.experiment_states import Completion, mark_completed
from controller.reconcile.trial_states import has_ended
from controller.reconcile_workers import utc_now
from runner.common_failure import common_failure
from runner.jobs.failed_starts import FailedStarts
from runner.state.objects import FileObjects


class ExperimentEnd:
    """The end of the experiment in some objects."""

    def __init__(self, objects: FileObjects) -> None:
        self._objects = objects

    @property
    def is_over(self) -> bool:
        """Whether the experiment and all its trials are complete."""
        experiment = self._objects.stored_experiment
        return (
            experiment is not None
            and completed(experiment)
            and all(_is_done(trial) for trial in self._objects.all_trials.values())
        )

    def end(self, completion: Completion) -> None:
        """End the experiment, if it runs; the driver then kills its running trials."""
        experiment = self._objects.stored_experiment
        if experiment is not None and not completed(experiment):
            status = mark_completed(experiment.status, completion, utc_now())
            self._objects.put(replace(experiment, status=status))

    def end_if_in_vain(
        self, failures: Mapping[str, FailedStarts], latest: Mapping[str, object]
    ) -> None:
        """End the experiment if its first trials have all failed for one cause.

        Args:
            failures: by trial, the failed starts of its job, if any.
            latest: by running trial, its newest values, if any.
        """
        experiment = self._objects.stored_experiment
        if experiment is None or completed(experiment):
            return
        trials = [*self._objects.all_trials.values()]
        completion = common_failure(experiment, trials, failures, latest)
        if completion is not None:
            self.end(completion)


def _is_done(trial: Trial) -> bool:
    """Return whether a trial is complete; one that stopped early may still miss its metrics."""
    return has_ended(trial) and trial.status.completion_time is not None
