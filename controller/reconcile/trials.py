"""The life of a trial: from its known state to the actions that are due.

| the trial | its job | due |
|---|---|---|
| is new | any | as for a live trial; the first status also has the condition Created |
| is live | does not exist | create it |
| is live | runs | the condition Running and the latest values; or why no pod runs |
| is live | failed | Failed |
| is live | runs, but its training has ended for long | as if it had succeeded or failed |
| is live | succeeded | read the metrics: Succeeded, wait for them, or MetricsUnavailable |
| was stopped early, has no observation | runs | wait for its end, for a limited time |
| was stopped by a rule of the controller | exists | delete it; wait until it is gone, as above |
| was stopped early, has no observation | other | read the metrics and store the observation |
| has ended | exists | delete it, unless it is retained |
| is being deleted | any | delete the job, then the metrics, then remove the finalizer |

The observation is stored in the status before the job is deleted.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from api.documents import value_at
from api.names import TRIAL_FINALIZER, UNAVAILABLE
from api.types import CollectorKind, ConditionType, Objective, Trial, holds
from controller.reconcile.actions import (
    Action,
    CreateJob,
    DeleteJob,
    DeleteObservations,
    DeleteObservationsLater,
    ReadObservation,
    Release,
    ReportUnavailable,
    WakeAt,
    WriteStatus,
)
from controller.reconcile.event_reasons import EventReason
from controller.reconcile.jobs import JobOutcome, JobState, job_document, state_of_job
from controller.reconcile.observation import (
    ObservationResult,
    find_observation,
    unavailable_observation,
)
from controller.reconcile.primary_container import state_by_container
from controller.reconcile.running_trial import (
    job_of,
    reconcile_running_trial,
    trial_event,
)
from controller.reconcile.times import parse_time
from controller.reconcile.trial_states import (
    METRICS_AWAITED,
    TrialState,
    has_ended,
    state_of,
    stopped_by_rule,
    time_in_condition,
    waiting_since,
)
from controller.reconcile.trial_transitions import (
    end_trial,
    mark_created,
    mark_not_running,
    record_observation,
)
from controller.reconcile.views import JobFacts, Policy, StoredMetrics, StoreUnavailable, TrialView

Actions = tuple[Action, ...]


def reconcile_trial(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """Return what is due for a trial. Equal arguments give equal actions."""
    trial = view.trial
    if trial.metadata.deletion_timestamp:
        return _reconcile_deleted(view, now, policy)
    if not holds(trial.status.conditions, ConditionType.CREATED):
        return _reconcile_new(view, now, policy)
    if state_of(trial) is TrialState.EARLY_STOPPED and not trial.status.completion_time:
        return _reconcile_early_stopped(view, now, policy)
    if has_ended(trial):
        return _delete_leftover_job(view)
    if waiting_since(trial) is not None:
        return _measure(view, _succeeded_job(view), now, policy)
    return _reconcile_live(view, now, policy)


def _reconcile_new(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """Write a new trial's first status in the same write as the state of its job."""
    created = mark_created(view.trial, now)
    if view.trial.status.conditions or view.job.gone:
        return (WriteStatus(target=created),)
    return _reconcile_live(replace(view, trial=created), now, policy)


def _reconcile_live(view: TrialView, now: datetime, policy: Policy) -> Actions:
    trial, document = view.trial, view.job.document
    state = JobState(outcome=JobOutcome.RUNNING)
    if document is not None:
        state = state_of_job(trial, document)
    if state.outcome is JobOutcome.RUNNING:
        state = state_by_container(view, now, policy) or state
    if state.outcome is JobOutcome.SUCCEEDED:
        return _measure(view, state, now, policy)
    if state.outcome is JobOutcome.FAILED:
        return _fail(trial, state, now)
    if not view.job.present:
        created = trial_event(trial, EventReason.JOB_CREATED, f"{job_of(trial)} has been created")
        return (CreateJob(trial=trial, document=job_document(trial)), created)
    return reconcile_running_trial(view, now, policy)


def _succeeded_job(view: TrialView) -> JobState:
    """Return the state of a job that has succeeded; its message is known only while it exists."""
    document = view.job.document
    state = state_of_job(view.trial, document) if document is not None else None
    succeeded = JobState(outcome=JobOutcome.SUCCEEDED)
    return state if state and state.outcome is succeeded.outcome else succeeded


def _fail(trial: Trial, state: JobState, now: datetime) -> Actions:
    after = end_trial(
        trial, ConditionType.FAILED, now, job_reason=state.reason, job_message=state.message
    )
    event = trial_event(trial, EventReason.JOB_FAILED, failure_of_job(trial, state))
    return (WriteStatus(target=after), event)


def failure_of_job(trial: Trial, state: JobState) -> str:
    """Return a sentence with what the job says, and where to look."""
    said = f"{state.message} ({state.reason})" if state.message and state.reason else ""
    details = said or state.message or state.reason
    message = f"{job_of(trial)} has failed" + (f": {details}" if details else "")
    if trial.spec.retain_run:
        return f"{message}; the logs of its pods say why"
    return f"{message}; to keep its pods and their logs, set spec.trialTemplate.retain: true"


# -- metrics --------------------------------------------------------------------------------


def _measure(view: TrialView, state: JobState, now: datetime, policy: Policy) -> Actions:
    """The job has succeeded. The trial succeeds only if its objective is known."""
    trial = view.trial
    if view.observed is None:
        return (ReadObservation(trial=trial),)
    result = find_observation(view)
    awaited_since = waiting_since(trial)
    deadline = (awaited_since or now) + policy.metrics_grace
    if not result.final and now < deadline:
        return _await_metrics(trial, now, policy, deadline)
    if not result.usable:
        return _metrics_unavailable(view, result, state, now)
    after = end_trial(
        trial,
        ConditionType.SUCCEEDED,
        now,
        job_reason=state.reason,
        job_message=state.message,
        observation=result.observation,
    )
    event = trial_event(trial, EventReason.JOB_SUCCEEDED, f"{job_of(trial)} has succeeded")
    return (WriteStatus(target=after), event)


def _await_metrics(trial: Trial, now: datetime, policy: Policy, deadline: datetime) -> Actions:
    wake = WakeAt(moment=min(now + policy.metrics_poll, deadline))
    message = "Trial's job has succeeded, its metrics are awaited"
    after = mark_not_running(trial, METRICS_AWAITED, message, now)
    return (wake,) if after is trial else (WriteStatus(target=after), wake)


def _metrics_unavailable(
    view: TrialView, result: ObservationResult, state: JobState, now: datetime
) -> Actions:
    trial = view.trial
    after = end_trial(
        trial,
        ConditionType.METRICS_UNAVAILABLE,
        now,
        cause=result.cause,
        job_reason=state.reason,
        job_message=state.message,
        observation=result.observation,
    )
    message = f"Metrics are not available for {job_of(trial)}: {result.cause}"
    event = trial_event(trial, EventReason.METRICS_UNAVAILABLE, message)
    report = (ReportUnavailable(trial=trial),) if _must_report_unavailable(view) else ()
    return (*report, WriteStatus(target=after), event)


def _must_report_unavailable(view: TrialView) -> bool:
    """Return whether to store `unavailable`: a training that pushes has no collector to do so."""
    collector, objective = view.trial.spec.collector, view.trial.spec.objective or Objective()
    if collector is None or collector.kind is not CollectorKind.PUSH:
        return False
    if not isinstance(view.observed, StoredMetrics):
        return False
    reported = (metric for metric in view.observed.metrics if metric.name == objective.metric)
    return not any(UNAVAILABLE in (metric.first, metric.last) for metric in reported)


def _reconcile_early_stopped(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """The trial was stopped early: store its observation before anything is deleted."""
    trial = view.trial
    stopped_at = now - time_in_condition(trial, ConditionType.EARLY_STOPPED, now)
    ending = _end_early_stopped(view, now, stopped_at + policy.stop_grace)
    if ending is not None:
        return ending
    if view.observed is None:
        return (ReadObservation(trial=trial),)
    result = find_observation(view)
    deadline = stopped_at + policy.stop_grace + policy.metrics_grace
    if not result.final and now < deadline:
        return (WakeAt(moment=min(now + policy.metrics_poll, deadline)),)
    objective = trial.spec.objective or Objective()
    # If the store does not answer any more, keep the values that were shown last.
    kept = result.observation or trial.status.observation or unavailable_observation(objective)
    after = record_observation(trial, kept, now)
    if result.usable:
        cause = stopped_by_rule(trial) or "Trial was stopped early, because a stop rule was met"
        text = f"{cause}; its metrics are kept"
        return (
            WriteStatus(target=after),
            trial_event(trial, EventReason.TRIAL_EARLY_STOPPED, text),
        )
    message = f"Metrics are not available for {job_of(trial)}: {result.cause}"
    return (WriteStatus(target=after), trial_event(trial, EventReason.METRICS_UNAVAILABLE, message))


def _end_early_stopped(view: TrialView, now: datetime, until: datetime) -> Actions | None:
    """Wait until the job has ended; None if it has, or if the time is over.

    A job that a rule of the controller has stopped does not end by itself. It is deleted, and its
    pods deliver their last metrics until it is gone.
    """
    trial, wait = view.trial, WakeAt(moment=until)
    if not stopped_by_rule(trial):
        return (wait,) if _runs(trial, view.job) and now < until else None
    if view.job.present and not _is_being_deleted(view.job):
        return (*_job_deletion(trial), wait)
    return (wait,) if view.job.present and now < until else None


def _runs(trial: Trial, job: JobFacts) -> bool:
    if job.document is None or job.gone:
        return False
    return state_of_job(trial, job.document).outcome is JobOutcome.RUNNING


# -- after the end --------------------------------------------------------------------------


def _delete_leftover_job(view: TrialView) -> Actions:
    """Delete the job of a trial that has ended; the job of a killed trial is never retained."""
    trial = view.trial
    kept = trial.spec.retain_run and state_of(trial) is not TrialState.KILLED
    if kept or not view.job.present or _is_being_deleted(view.job):
        return ()
    return _job_deletion(trial)


def overdue(trial: Trial, now: datetime, policy: Policy) -> bool:
    """Return whether a deleted trial has waited for its full deletion grace."""
    deleted_at = parse_time(trial.metadata.deletion_timestamp)
    return deleted_at is not None and now >= deleted_at + policy.deletion_grace


def _reconcile_deleted(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """Remove the finalizer when job and metrics are deleted, or the deletion grace is over."""
    trial = view.trial
    if TRIAL_FINALIZER not in trial.metadata.finalizers:
        return ()
    deleted_at = parse_time(trial.metadata.deletion_timestamp) or now
    deadline = deleted_at + policy.deletion_grace
    due = _job_deletion(trial) if view.job.present and not _is_being_deleted(view.job) else ()
    if view.job.present and now < deadline:
        return (*due, WakeAt(moment=deadline))
    if not isinstance(view.observed, StoreUnavailable):
        return (*due, DeleteObservations(trial=trial), Release(target=trial))
    if now < deadline:
        return (*due, WakeAt(moment=min(now + policy.metrics_poll, deadline)))
    message = (
        "its metrics are still in the store, which did not answer, and will be deleted when it"
        f" does: {view.observed.cause}"
    )
    event = trial_event(trial, EventReason.METRICS_NOT_DELETED, message)
    return (*due, event, DeleteObservationsLater(trial=trial), Release(target=trial))


def _is_being_deleted(job: JobFacts) -> bool:
    return bool(value_at(job.document, "metadata", "deletionTimestamp"))


def _job_deletion(trial: Trial) -> Actions:
    event = trial_event(trial, EventReason.JOB_DELETED, f"{job_of(trial)} has been deleted")
    return (DeleteJob(trial=trial), event)
