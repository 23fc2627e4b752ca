"""Start an experiment, resume a stored one, extend its budget, or run its failed trials again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime

from api.errors import SpecError, UserError
from api.names import ENQUEUE_ANNOTATION
from api.objects.enqueued import PATH as ENQUEUE_PATH
from api.objects.validation_update import MAX_TRIALS_REACHED, completed
from api.types import ConditionType, Experiment, ExperimentSpec, Suggestion, Trial, holds
from controller.reconcile.creation import trial_of
from controller.reconcile.experiment_states import GOAL, MAX_FAILED, mark_restarted
from controller.reconcile.suggestion_conditions import failure_of
from controller.reconcile.suggestions import entry_of
from controller.reconcile.times import format_time
from controller.reconcile.trial_order import in_order
from controller.reconcile.trial_states import TrialState, has_ended, is_measured, state_of
from runner.state.objects import FileObjects

COUNTS = {
    "parallel_trial_count": "spec.parallelTrialCount",
    "max_trial_count": "spec.maxTrialCount",
    "max_failed_trial_count": "spec.maxFailedTrialCount",
}
"""Fields that may always differ."""
_FREE = {*COUNTS, "resume_policy"}
"""Here nothing is deleted, so the resume policy has no effect."""
_SEARCH = {
    "parameters": "spec.parameters",
    "algorithm": "spec.algorithm",
    "nas_config": "spec.nasConfig",
}
"""Fields by which the parameters of the stored trials were chosen."""
_OTHERS = {
    "objective": "spec.objective",
    "early_stopping": "spec.earlyStopping",
    "trial_template": "spec.trialTemplate",
    "collector": "spec.metricsCollectorSpec",
}
_RETRIED = (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE, TrialState.KILLED)


class Differs(UserError):
    """The file has another experiment than the stored one, and the stored one has results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """How a run begins."""

    retried: tuple[Trial, ...] = ()
    """Trials to run again under their names and with their parameters, in their order."""
    restarted: bool = False
    """Whether the experiment had ended and continues."""


def must_start_anew(stored: Experiment, given: Experiment) -> bool:
    """Return whether nothing of a stored experiment can be used: no result, another search."""
    status = stored.status
    results = status.trials_succeeded + status.trials_early_stopped
    return not results and any(_differ(stored.spec, given.spec, name) for name in _SEARCH)


def begin(
    objects: FileObjects,
    given: Experiment,
    template_text: str | None = None,
    *,
    retry_failed: bool = False,
) -> Beginning:
    """Store a new experiment, or resume the stored one.

    | stored | the file | what happens |
    |---|---|---|
    | nothing | | stored |
    | any | other counts | continues with these, if the experiment had ended by one of them |
    | no trial has a result | another template, objective or collector | all trials run again |
    | no trial has a result | the same | failed trials run again |
    | some trials have results | another template, objective, collector or search | refused |
    | some trials have results | the same | failed trials run again with `retry_failed` |

    Raises:
        Differs: the file has another experiment than the stored one.
    """
    stored = objects.stored_experiment
    if stored is None:
        objects.apply(given)
        return Beginning()
    trials = in_order(tuple(objects.all_trials.values()))
    results = sum(is_measured(trial) for trial in trials)
    if results or must_start_anew(stored, given):
        _refuse_another(stored.spec, given.spec, results)
    stored = _with_enqueued(objects, stored, given)
    spec = replace(given.spec, resume_policy=stored.spec.resume_policy)
    if spec != stored.spec:
        objects.apply(replace(stored, spec=spec))
    retried: tuple[Trial, ...] = ()
    if not results:
        retried = tuple(one for one in trials if _runs_again(one, given, template_text))
    elif retry_failed and not _reached_goal(stored):
        retried = tuple(trial for trial in trials if state_of(trial) in _RETRIED)
    restarts = bool(retried) or not results or _has_room(replace(stored, spec=spec))
    return Beginning(retried=retried, restarted=restarts and completed(stored))


def _with_enqueued(objects: FileObjects, stored: Experiment, given: Experiment) -> Experiment:
    """Take over the enqueued points of the file, unless trials came before them."""
    text = given.metadata.annotations.get(ENQUEUE_ANNOTATION)
    if text in (None, stored.metadata.annotations.get(ENQUEUE_ANNOTATION)):
        return stored
    suggestion = objects.stored_suggestion
    if suggestion is not None and suggestion.status.suggestion_count:
        raise Differs(
            f"{ENQUEUE_PATH}: not the same as in the stored experiment, whose first"
            f" {suggestion.status.suggestion_count} trials were chosen already, so that these"
            " points cannot come first; leave them out"
        )
    annotations = {**stored.metadata.annotations, ENQUEUE_ANNOTATION: text}
    changed = replace(stored, metadata=replace(stored.metadata, annotations=annotations))
    objects.put(changed)  # `apply` keeps the stored metadata
    return changed


def resume(objects: FileObjects, beginning: Beginning, now: datetime) -> None:
    """Let trials run again, and the experiment continue.

    The jobs and metrics of the trials must be deleted already. A crash between two writes changes
    nothing: an entry of the search has no effect while its trial exists.
    """
    suggestion = objects.stored_suggestion
    if suggestion is not None and beginning.restarted and failure_of(suggestion):
        objects.forget(suggestion)
    elif suggestion is not None and beginning.retried:
        objects.put(_with_entries(suggestion, beginning.retried))
    for trial in beginning.retried:
        objects.forget(trial)
    experiment = objects.stored_experiment
    if experiment is not None and beginning.restarted:
        restarted = mark_restarted(experiment, now)
        if not objects.all_trials:  # the time of trials that run again does not count
            status = replace(restarted.status, start_time=format_time(now))
            restarted = replace(restarted, status=status)
        objects.put(restarted)


def _with_entries(suggestion: Suggestion, retried: Iterable[Trial]) -> Suggestion:
    """Put the trials back into the reply of the search, from which trials are created."""
    entries = tuple(map(entry_of, retried))
    names = {entry.name for entry in entries}
    others = [one for one in suggestion.status.suggestions if one.name not in names]
    return replace(suggestion, status=replace(suggestion.status, suggestions=(*entries, *others)))


def _runs_again(trial: Trial, given: Experiment, template_text: str | None) -> bool:
    """Return whether a trial has failed, or was made from another template."""
    if has_ended(trial):
        return True
    try:
        made = trial_of(given, entry_of(trial), template_text)
    except SpecError:
        return False  # the controller says why, in the status of the experiment
    return made.spec != trial.spec


def _reached_goal(experiment: Experiment) -> bool:
    return any(c.reason == GOAL.reason for c in experiment.status.conditions)


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


def _refuse_another(stored: ExperimentSpec, given: ExperimentSpec, results: int) -> None:
    names = [one.name for one in fields(ExperimentSpec) if one.name not in _FREE]
    differing = [name for name in names if _differ(stored, given, name)]
    if differing:
        paths = ", ".join((_SEARCH | _OTHERS)[name] for name in differing)
        trials = f"{results} of its trials {'has a result' if results == 1 else 'have results'}"
        raise Differs(
            f"{paths}: not the same as in the stored experiment, and {trials}, so that it cannot"
            f" be continued; only {', '.join(COUNTS.values())} may change"
        )


def _differ(one: ExperimentSpec, other: ExperimentSpec, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))
