"""An experiment begun, taken up again, or given a larger budget: what the kept one becomes."""

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
"""What may differ. Here nothing is ever thrown away, so every policy is the same."""
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
    """Store an experiment, or let the one that is kept go on; return it as it is now.

    | kept | the file | what is done |
    |---|---|---|
    | nothing | | stored |
    | any | another search | refused |
    | at work | other counts | goes on with these |
    | ended by a count | that count is larger, or gone | goes on |
    | ended else | | nothing: it has ended |

    Raises:
        SpecError: the file is of another search than the kept one.
    """
    kept = objects.kept
    if kept is None:
        objects.apply(given)
    else:
        faults = tuple(_differences(kept.spec, given.spec, place))
        if faults:
            raise SpecError(faults)
        counts = {name: getattr(given.spec, name) for name in _COUNTS}
        spec = replace(kept.spec, **counts)
        if spec != kept.spec:
            objects.apply(replace(kept, spec=spec))
            _let_go_on(objects, now)
    found = objects.kept
    return given if found is None else found


def _let_go_on(objects: FileObjects, now: datetime) -> None:
    experiment = objects.kept
    if experiment is not None and completed(experiment) and _has_room(experiment):
        objects.put(mark_restarted(experiment, now))


def _has_room(experiment: Experiment) -> bool:
    """Say whether what ended the experiment would not end it now."""
    spec, status = experiment.spec, experiment.status
    most, most_bad = spec.max_trial_count, spec.max_failed_trial_count
    bad = status.trials_failed + status.trials_metrics_unavailable
    room = most is None or status.trials < most
    if holds(status.conditions, ConditionType.FAILED):
        by_count = any(c.message == MAX_FAILED.message for c in status.conditions)
        return by_count and room and (most_bad is None or bad < max(most_bad, 1))
    return room and any(c.reason == MAX_TRIALS_REACHED for c in status.conditions)


def _differences(kept: ExperimentSpec, given: ExperimentSpec, place: Path) -> list[Fault]:
    names = [one.name for one in fields(ExperimentSpec) if one.name not in _FREE]
    differing = [name for name in names if getattr(kept, name) != getattr(given, name)]
    why = (
        f"is not that of the experiment that was begun in {place}, whose trials would not fit; only"
        f" {', '.join(_COUNTS.values())} may change: give this one another metadata.name, or"
        " another --state-dir"
    )
    return [forbidden(_NAMES[name], why) for name in differing]
