"""Whether the first trials of an experiment all failed at once, or all printed no objective.

Then the others would do the same: a mistyped command, a missing module, a wrong metric name. The
experiment ends, and the user corrects it, instead of waiting for every trial and all its retries.
A user who expects such trials sets `maxFailedTrialCount`; then only this count ends the experiment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from api.faults import without_numbers
from api.names import UNAVAILABLE
from api.types import Experiment, Objective, Trial
from controller.reconcile.experiment_states import Completion, failed_because
from controller.reconcile.trial_states import TrialState, has_ended, state_of
from runner.jobs.failed_starts import FailedStarts

FEW: Final = 3
"""How many trials must have ended."""
_MANY: Final = 100
"""After so many trials, they are not the first ones any more."""
_GO_ON: Final = "; spec.maxFailedTrialCount sets how many trials may fail"


def common_failure(
    experiment: Experiment,
    trials: Sequence[Trial],
    failures: Mapping[str, FailedStarts],
    latest: Mapping[str, object],
) -> Completion | None:
    """Return the end of an experiment whose first trials were all in vain; None if it goes on.

    Args:
        experiment: the experiment.
        trials: all its trials.
        failures: by trial, the failed starts of its job, if any.
        latest: by running trial, its newest values, if any.
    """
    status = experiment.status
    if status.trials_succeeded or status.trials_early_stopped or status.trials > _MANY:
        return None
    ended = [trial for trial in trials if has_ended(trial)]
    if experiment.spec.max_failed_trial_count is not None or len(ended) < FEW:
        return None
    running = [trial for trial in trials if state_of(trial) is TrialState.RUNNING]
    states = {state_of(trial) for trial in ended}
    first = f"Experiment has failed because its first {len(ended)} trials"
    if states == {TrialState.FAILED} and _have_one_cause([*ended, *running], failures):
        return failed_because(f"{first} failed at once for the same cause{_GO_ON}")
    metric = (experiment.spec.objective or Objective()).metric
    silent = all(_has_no_value(trial, metric) for trial in ended)
    if states == {TrialState.METRICS_UNAVAILABLE} and silent and not any(latest.values()):
        return failed_because(f"{first} printed no value of {metric}{_GO_ON}")
    return None


def _have_one_cause(trials: Sequence[Trial], failures: Mapping[str, FailedStarts]) -> bool:
    """Return whether all trials failed alike; one that still runs too, else it may succeed."""
    found = [failures.get(trial.metadata.name) for trial in trials]
    causes = {without_numbers(one.common_cause) if one else "" for one in found}
    return len(causes) == 1 and "" not in causes


def _has_no_value(trial: Trial, metric: str) -> bool:
    """Return whether nothing was found; a training that diverged has printed `nan`."""
    metrics = trial.status.observation.metrics if trial.status.observation else ()
    return all(one.latest == UNAVAILABLE for one in metrics if one.name == metric)
