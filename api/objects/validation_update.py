"""The rules for a change: which fields of an experiment may change, and when it may resume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from api.errors import Fault
from api.faults import forbidden, invalid
from api.types import ConditionType, Experiment, ExperimentSpec, ResumePolicy, holds

MAX_TRIALS_REACHED = "ExperimentMaxTrialsReached"
"""The only reason of a Succeeded experiment that can resume."""


def update_faults(old: Experiment, new: Experiment) -> tuple[Fault, ...]:
    """Return the faults of a change; both experiments must have their defaults.

    A change outside of the spec (status, label, finalizer) has no faults. An experiment that has
    ended continues only with a larger `maxTrialCount`, so every other change of it has no effect.
    """
    if old.spec == new.spec:
        return ()
    return tuple(_faults(old, new))


def completed(experiment: Experiment) -> bool:
    """Return whether the search has ended, with success or failure."""
    conditions = experiment.status.conditions
    return holds(conditions, ConditionType.SUCCEEDED) or holds(conditions, ConditionType.FAILED)


def restartable(experiment: Experiment) -> bool:
    """Return whether a completed experiment may resume with a larger `maxTrialCount`."""
    ended = (c for c in experiment.status.conditions if c.type == ConditionType.SUCCEEDED)
    by_count = any(c.reason == MAX_TRIALS_REACHED and holds((c,), c.type) for c in ended)
    keeps = (ResumePolicy.LONG_RUNNING, ResumePolicy.FROM_VOLUME)
    return by_count and experiment.spec.resume_policy in keeps


def _faults(old: Experiment, new: Experiment) -> Iterator[Fault]:
    if completed(old) and not restartable(old):
        why = (
            "Experiment can be restarted if it is in succeeded state by reaching max trials and "
            "spec.resumePolicy = LongRunning or spec.resumePolicy = FromVolume, when experiment is "
            "completed; create a new experiment"
        )
        yield invalid("spec.resumePolicy", old.spec.resume_policy or "", why)
    most = new.spec.max_trial_count
    counts = most != old.spec.max_trial_count or completed(old)
    if most is not None and counts and most <= old.status.trials:
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
