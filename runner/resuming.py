"""Start an experiment, resume a stored one, or extend its budget."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path

from api.errors import Fault, SpecError
from api.faults import forbidden
from api.objects.validation_update import MAX_TRIALS_REACHED, completed
from api.types import ConditionType, Experiment, ExperimentSpec, holds
from controller.reconcile.experiment_states import MAX_FAILED, mark_restarted
from runner.state.objects import FileObjects

_COUNTS = {
    "parallel_trial_count": "spec.parallelTrialCount",
    "max_trial_count": "spec.maxTrialCount",
    "max_failed_trial_count": "spec.maxFailedTrialCount",
}
_FREE = {*_COUNTS, "resume_policy"}
"""Fields that may differ. Here nothing is deleted, so the resume policy has no effect."""
_NAMES = {
    "parameters": "spec.parameters",
    "objective": "spec.objective",
    "algorithm": "spec.algorithm",
    "early_stopping": "spec.earlyStopping",
    "trial_template": "spec.trialTemplate",
    "collector": "spec.metricsCollectorSpec",
    "nas_config": "spec.nasConfig",
}


def begin(objects: FileObjects, given: Experiment, place: Path, now: datetime) -> Experiment:
    """Store a new experiment, or resume the stored one; return it as it is now.

    | stored | the file | what happens |
    |---|---|---|
    | nothing | | stored |
    | any | another search | refused |
    | running | other counts | continues with these |
    | ended by a count | this count is larger, or removed | continues |
    | ended for another reason | | nothing |

    Raises:
        SpecError: the file has another search than the stored experiment.
    """
    stored = objects.stored_experiment
    if stored is None:
        objects.apply(given)
    else:
        faults = tuple(_differences(stored.spec, given.spec, place))
        if faults:
            raise SpecError(faults)
        counts = {name: getattr(given.spec, name) for name in _COUNTS}
        spec = replace(stored.spec, **counts)
        if spec != stored.spec:
            objects.apply(replace(stored, spec=spec))
            _restart(objects, now)
    found = objects.stored_experiment
    return given if found is None else found


def _restart(objects: FileObjects, now: datetime) -> None:
    experiment = objects.stored_experiment
    if experiment is not None and completed(experiment) and _has_room(experiment):
        objects.put(mark_restarted(experiment, now))


def _has_room(experiment: Experiment) -> bool:
    """Return whether the reason for the experiment's end no longer applies."""
    spec, status = experiment.spec, experiment.status
    most, most_bad = spec.max_trial_count, spec.max_failed_trial_count
    bad = status.trials_failed + status.trials_metrics_unavailable
    room = most is None or status.trials < most
    if holds(status.conditions, ConditionType.FAILED):
        by_count = any(c.message == MAX_FAILED.message for c in status.conditions)
        return by_count and room and (most_bad is None or bad < max(most_bad, 1))
    return room and any(c.reason == MAX_TRIALS_REACHED for c in status.conditions)


def _differences(stored: ExperimentSpec, given: ExperimentSpec, place: Path) -> list[Fault]:
    names = [one.name for one in fields(ExperimentSpec) if one.name not in _FREE]
    differing = [name for name in names if getattr(stored, name) != getattr(given, name)]
    why = (
        f"differs from the experiment in {place}, so its trials cannot be continued; only"
        f" {', '.join(_COUNTS.values())} may change: use another metadata.name, or"
        " another --state-dir"
    )
    return [forbidden(_NAMES[name], why) for name in differing]
