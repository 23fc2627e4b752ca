"""The life of a trial: from what is known about it to what is due.

| the trial | its job | due |
|---|---|---|
| is new | | as one that lives; what is written has the condition Created, too |
| lives | is not there | create it |
| lives | runs | the condition Running and the latest values; or why it has no pod that runs |
| lives | failed | Failed |
| lives | succeeded | read the metrics: Succeeded, wait for them, or MetricsUnavailable |
| was stopped early, not observed | runs | wait for its end, not for ever |
| was stopped early, not observed | else | read the metrics and keep them |
| has ended | is there | delete it, unless it is to be kept |
| is being deleted | | delete the job, then the metrics, then let go |

The observation is in the status, as it is stored, before the job is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from api.names import TRIAL_FINALIZER, UNAVAILABLE
from api.types import CollectorKind, ConditionType, Objective, Trial, holds
from controller.reconcile.actions import (
    Action,
    CreateJob,
    DeleteJob,
    DeleteObservations,
    ReadObservation,
    Release,
    ReportUnavailable,
    WakeAt,
    WriteStatus,
)
from controller.reconcile.jobs import JobOutcome, JobState, job_document, state_of_job
from controller.reconcile.observation import (
    ObservationResult,
    find_observation,
    unavailable_observation,
)
from controller.reconcile.running_trial import (
    job_of,
    normal_event,
    reconcile_running_trial,
    warning_event,
)
from controller.reconcile.times import parse_time
from controller.reconcile.trial_states import (
    METRICS_AWAITED,
    TrialState,
    end_trial,
    has_ended,
    mark_created,
    mark_not_running,
    record_observation,
    state_of,
    time_in_condition,
    waiting_since,
)
from controller.reconcile.views import JobFacts, Policy, StoredMetrics, StoreUnavailable, TrialView

Actions = tuple[Action, ...]


def reconcile_trial(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """Say what is due for a trial. Equal arguments give equal actions."""
    trial = view.trial
    if trial.metadata.deletion_timestamp:
        return _deleting(view, now, policy)
    if not holds(trial.status.conditions, ConditionType.CREATED):
        return _beginning(view, now, policy)
    if state_of(trial) is TrialState.EARLY_STOPPED and not trial.status.completion_time:
        return _stopping(view, now, policy)
    if has_ended(trial):
        return _cleaning(view)
    if waiting_since(trial) is not None:
        return _measuring(view, _success(view), now, policy)
    return _living(view, now, policy)


def _beginning(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """A new trial's first status is written with what becomes of its job: once, and not twice."""
    begun = mark_created(view.trial, now)
    if view.trial.status.conditions or view.job.gone:
        return (WriteStatus(target=begun),)
    return _living(replace(view, trial=begun), now, policy)


def _living(view: TrialView, now: datetime, policy: Policy) -> Actions:
    trial, document = view.trial, view.job.document
    state = JobState(outcome=JobOutcome.RUNNING)
    if document is not None:
        state = state_of_job(trial, document)
    if state.outcome is JobOutcome.SUCCEEDED:
        return _measuring(view, state, now, policy)
    if state.outcome is JobOutcome.FAILED:
        return _failing(trial, state, now)
    if not view.job.present:
        made = normal_event(trial, "JobCreated", f"{job_of(trial)} has been created")
        return (CreateJob(trial=trial, document=job_document(trial)), made)
    return reconcile_running_trial(view, now, policy)


def _success(view: TrialView) -> JobState:
    """The job is known to have succeeded; its words are had only while it is there."""
    document = view.job.document
    state = state_of_job(view.trial, document) if document is not None else None
    succeeded = JobState(outcome=JobOutcome.SUCCEEDED)
    return state if state and state.outcome is succeeded.outcome else succeeded


def _failing(trial: Trial, state: JobState, now: datetime) -> Actions:
    after = end_trial(
        trial, ConditionType.FAILED, now, job_reason=state.reason, job_message=state.message
    )
    words = " ".join(word for word in (state.message, state.reason) if word)
    told = f"{job_of(trial)} has failed" + (f". {words}" if words else "")
    return (WriteStatus(target=after), normal_event(trial, "JobFailed", told))


# -- metrics --------------------------------------------------------------------------------


def _measuring(view: TrialView, state: JobState, now: datetime, policy: Policy) -> Actions:
    """The job has succeeded: the trial has only if its objective is known."""
    trial = view.trial
    if view.observed is None:
        return (ReadObservation(trial=trial),)
    finding = find_observation(view)
    begun = waiting_since(trial)
    deadline = (begun or now) + policy.metrics_grace
    if not finding.final and now < deadline:
        return _awaiting(trial, now, policy, deadline)
    if not finding.usable:
        return _unavailable(view, finding, state, now)
    after = end_trial(
        trial,
        ConditionType.SUCCEEDED,
        now,
        job_reason=state.reason,
        job_message=state.message,
        observation=finding.observation,
    )
    told = normal_event(trial, "JobSucceeded", f"{job_of(trial)} has succeeded")
    return (WriteStatus(target=after), told)


def _awaiting(trial: Trial, now: datetime, policy: Policy, deadline: datetime) -> Actions:
    wake = WakeAt(moment=min(now + policy.metrics_poll, deadline))
    message = "Trial's job has succeeded, its metrics are awaited"
    after = mark_not_running(trial, METRICS_AWAITED, message, now)
    return (wake,) if after is trial else (WriteStatus(target=after), wake)


def _unavailable(
    view: TrialView, finding: ObservationResult, state: JobState, now: datetime
) -> Actions:
    trial = view.trial
    after = end_trial(
        trial,
        ConditionType.METRICS_UNAVAILABLE,
        now,
        cause=finding.cause,
        job_reason=state.reason,
        job_message=state.message,
        observation=finding.observation,
    )
    why = f"Metrics are not available for {job_of(trial)}: {finding.cause}"
    told = warning_event(trial, "MetricsUnavailable", why)
    report = (ReportUnavailable(trial=trial),) if _to_report(view) else ()
    return (*report, WriteStatus(target=after), told)


def _to_report(view: TrialView) -> bool:
    """Whoever pushes has no collector that says `unavailable` in the store; so we do."""
    collector, objective = view.trial.spec.collector, view.trial.spec.objective or Objective()
    if collector is None or collector.kind is not CollectorKind.PUSH:
        return False
    if not isinstance(view.observed, StoredMetrics):
        return False
    told = (m for m in view.observed.metrics if m.name == objective.metric)
    return not any(UNAVAILABLE in (metric.first, metric.last) for metric in told)


def _stopping(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """The trial was stopped early: keep what was measured before anything is deleted."""
    trial = view.trial
    begun = now - time_in_condition(trial, ConditionType.EARLY_STOPPED, now)
    if _runs(trial, view.job) and now < begun + policy.stop_grace:
        return (WakeAt(moment=begun + policy.stop_grace),)
    if view.observed is None:
        return (ReadObservation(trial=trial),)
    finding = find_observation(view)
    deadline = begun + policy.stop_grace + policy.metrics_grace
    if not finding.final and now < deadline:
        return (WakeAt(moment=min(now + policy.metrics_poll, deadline)),)
    objective = trial.spec.objective or Objective()
    # Where the store does not answer any more, what was shown last is what there is.
    kept = finding.observation or trial.status.observation or unavailable_observation(objective)
    after = record_observation(trial, kept, now)
    if finding.usable:
        return (WriteStatus(target=after),)
    why = f"Metrics are not available for {job_of(trial)}: {finding.cause}"
    return (WriteStatus(target=after), warning_event(trial, "MetricsUnavailable", why))


def _runs(trial: Trial, job: JobFacts) -> bool:
    if job.document is None or job.gone:
        return False
    return state_of_job(trial, job.document).outcome is JobOutcome.RUNNING


# -- the end --------------------------------------------------------------------------------


def _cleaning(view: TrialView) -> Actions:
    """Delete the job of a trial that has ended; one that was killed must not go on."""
    trial = view.trial
    kept = trial.spec.retain_run and state_of(trial) is not TrialState.KILLED
    if kept or not view.job.present or _is_going(view.job):
        return ()
    return _job_deletion(trial)


def overdue(trial: Trial, now: datetime, policy: Policy) -> bool:
    """Say whether a deleted trial has waited for as long as it may."""
    begun = parse_time(trial.metadata.deletion_timestamp)
    return begun is not None and now >= begun + policy.deletion_grace


def _deleting(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """Let the trial go when its job and its metrics are gone, or cannot be had."""
    trial = view.trial
    if TRIAL_FINALIZER not in trial.metadata.finalizers:
        return ()
    begun = parse_time(trial.metadata.deletion_timestamp) or now
    deadline = begun + policy.deletion_grace
    due = _job_deletion(trial) if view.job.present and not _is_going(view.job) else ()
    if view.job.present and now < deadline:
        return (*due, WakeAt(moment=deadline))
    if not isinstance(view.observed, StoreUnavailable):
        return (*due, DeleteObservations(trial=trial), Release(target=trial))
    if now < deadline:
        return (*due, WakeAt(moment=min(now + policy.metrics_poll, deadline)))
    why = f"its metrics stay in the store, which did not answer: {view.observed.cause}"
    return (*due, warning_event(trial, "MetricsNotDeleted", why), Release(target=trial))


def _is_going(job: JobFacts) -> bool:
    metadata = job.document.get("metadata") if job.document is not None else None
    return isinstance(metadata, Mapping) and bool(metadata.get("deletionTimestamp"))


def _job_deletion(trial: Trial) -> Actions:
    told = normal_event(trial, "JobDeleted", f"{job_of(trial)} has been deleted")
    return (DeleteJob(trial=trial), told)
