"""A trial whose job exists and has not ended: whether it trains, and if not, why.

| its pod | due |
|---|---|
| cannot be, because the job is suspended | report it at once; `suspended_job` has the rules |
| is refused | report it at once |
| exists, but nothing runs in it | report it if this lasts |
| trains, but its collector crashes | report it if this lasts |
| has trained, but other containers run | report it; `primary_container` ends the trial |
| trains | the condition Running, and the latest values |
"""

from __future__ import annotations

from datetime import datetime, timedelta

from api.types import ConditionType, Trial
from controller.reconcile.actions import Action, EmitEvent, WakeAt, WriteStatus
from controller.reconcile.event_reasons import EventReason
from controller.reconcile.latest_values import show_latest_values
from controller.reconcile.observation import collector_failure
from controller.reconcile.primary_container import report_other_containers
from controller.reconcile.suspended_job import report_suspension
from controller.reconcile.trial_states import (
    PODS_PENDING,
    PODS_REFUSED,
    waiting_since,
)
from controller.reconcile.trial_transitions import (
    end_trial,
    mark_not_running,
    mark_pending,
    mark_running,
)
from controller.reconcile.views import PodFacts, Policy, TrialView

Actions = tuple[Action, ...]
_NO_NODE = ("Unschedulable", "SchedulingGated")
_NO_QUOTA = "exceeded quota"
"""In the API server's message."""


def reconcile_running_trial(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """Return what is due for a trial whose job runs."""
    trial, pods = view.trial, view.job.pods
    suspended = report_suspension(view, now)
    if suspended is not None:
        return suspended
    if pods.refused:
        return _refused(trial, pods.refused, now, policy)
    if pods.stuck:
        return _stuck(trial, pods, now, policy)
    reported = report_other_containers(view, now, policy)
    if reported is not None:
        return reported
    if pods.crashing_since is not None:
        return _crashing(view, pods.crashing_since, now, policy)
    return _started(trial, now) or show_latest_values(view, now, policy.live_interval)


def failed_to_start(trial: Trial, cause: str, now: datetime) -> Actions:
    """Return what is due if the job cannot be created, now or later."""
    after = end_trial(trial, ConditionType.FAILED, now, cause=cause)
    return (
        WriteStatus(target=after),
        trial_event(
            trial, EventReason.JOB_NOT_STARTED, f"{job_of(trial)} has not started: {cause}"
        ),
    )


def _started(trial: Trial, now: datetime) -> Actions:
    after = mark_running(trial, now)
    if after is trial:
        return ()
    return (
        WriteStatus(target=after),
        trial_event(trial, EventReason.JOB_RUNNING, f"{job_of(trial)} is running"),
    )


def _refused(trial: Trial, cause: str, now: datetime, policy: Policy) -> Actions:
    """The job gets no pod: report it, and fail the trial after the start deadline."""
    after = mark_not_running(trial, PODS_REFUSED, cause, now)
    if after is not trial:
        return (WriteStatus(target=after), trial_event(trial, EventReason.PODS_REFUSED, cause))
    deadline = _deadline(cause, policy)
    refused_since = waiting_since(trial, PODS_REFUSED)
    if deadline is None or refused_since is None:
        return ()
    if now < refused_since + deadline:
        return (WakeAt(moment=refused_since + deadline),)
    return failed_to_start(trial, f"no pod could be created for {deadline}: {cause}", now)


def _stuck(trial: Trial, pods: PodFacts, now: datetime, policy: Policy) -> Actions:
    """A pod exists and nothing runs in it: report it if this lasts, as for a refused pod.

    Until then the trial keeps its condition, so a short interruption causes no writes.
    """
    since = pods.stuck_since or now - policy.pending_patience
    report_at = since + policy.pending_patience
    if now < report_at:
        is_reported = waiting_since(trial, PODS_PENDING) is not None
        return (*(() if is_reported else _started(trial, now)), WakeAt(moment=report_at))
    after = mark_pending(trial, pods.stuck, now)
    if after is not trial:
        return (WriteStatus(target=after), trial_event(trial, EventReason.PODS_PENDING, pods.stuck))
    deadline = _deadline(pods.stuck, policy)
    if deadline is None:
        return ()
    if now < since + deadline:
        return (WakeAt(moment=since + deadline),)
    return failed_to_start(trial, f"nothing ran in its pod for {deadline}: {pods.stuck}", now)


def _deadline(cause: str, policy: Policy) -> timedelta | None:
    """Return how long a trial may wait for this cause: other pods' end makes room."""
    waits_for_room = cause.startswith(_NO_NODE) or _NO_QUOTA in cause
    return policy.room_deadline if waits_for_room else policy.start_deadline


def _crashing(view: TrialView, since: datetime, now: datetime, policy: Policy) -> Actions:
    """The training runs without a collector: report it if this lasts; metrics may be lost."""
    trial, report_at = view.trial, since + policy.pending_patience
    if now < report_at:
        return (*_started(trial, now), WakeAt(moment=report_at))
    cause = collector_failure(view.job.pods)
    after = mark_running(trial, now, cause)
    if after is trial:
        return show_latest_values(view, now, policy.live_interval)
    return (WriteStatus(target=after), trial_event(trial, EventReason.COLLECTOR_CRASHED, cause))


# -- Events ---------------------------------------------------------------------------------


def job_of(trial: Trial) -> str:
    """Name a trial's job."""
    return f"Job {trial.metadata.name}"


def trial_event(trial: Trial, reason: EventReason, message: str) -> EmitEvent:
    """Return an Event about a trial."""
    return EmitEvent(about=trial, reason=reason, message=message)
