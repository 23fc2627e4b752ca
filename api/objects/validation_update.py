"""The rules of a change: what of an experiment may still be edited, and when it may go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from api.errors import Fault
from api.faults import forbidden, invalid
from api.types import ConditionType, Experiment, ExperimentSpec, ResumePolicy, holds

MAX_TRIALS_REACHED = "ExperimentMaxTrialsReached"
"""The reason of the only Succeeded that can be undone."""


def update_faults(old: Experiment, new: Experiment) -> tuple[Fault, ...]:
    """List what is wrong with a change; both have been through `with_defaults`.

    A change that leaves the spec alone (a status, a label, a finalizer) is never at fault.
    """
    if old.spec == new.spec:
        return ()
    return tuple(_faults(old, new))


def completed(experiment: Experiment) -> bool:
    """Say whether the search has ended, well or not."""
    conditions = experiment.status.conditions
    return holds(conditions, ConditionType.SUCCEEDED) or holds(conditions, ConditionType.FAILED)


def restartable(experiment: Experiment) -> bool:
    """Say whether a completed experiment may go on with a larger `maxTrialCount`."""
    ended = (c for c in experiment.status.conditions if c.type == ConditionType.SUCCEEDED)
    by_count = any(c.reason == MAX_TRIALS_REACHED and holds((c,), c.type) for c in ended)
    keeps = (ResumePolicy.LONG_RUNNING, ResumePolicy.FROM_VOLUME)
    return by_count and experiment.spec.resume_policy in keeps


def _faults(old: Experiment, new: Experiment) -> Iterator[Fault]:
    if completed(old) and not restartable(old):
        why = (
            "Experiment can be restarted if it is in succeeded state by reaching max trials and "
            "spec.resumePolicy = LongRunning or spec.resumePolicy = FromVolume, when experiment is "
            "completed; create a new one"
        )
        yield invalid("spec.resumePolicy", old.spec.resume_policy or "", why)
    most = new.spec.max_trial_count
    if most is not None and most != old.spec.max_trial_count and most <= old.status.trials:
        why = f"must be greater than status.trials count, which is {old.status.trials}"
        yield invalid("spec.maxTrialCount", most, why)
    if _without_counts(old.spec) != _without_counts(new.spec):
        why = (
            "only spec.parallelTrialCount, spec.maxTrialCount and spec.maxFailedTrialCount are "
            "editable; create a new experiment for another search"
        )
        yield forbidden("spec", why)


def _without_counts(spec: ExperimentSpec) -> ExperimentSpec:
    return replace(
        spec, parallel_trial_count=None, max_trial_count=None, max_failed_trial_count=None
    )
