"""A trial whose job is there and has not ended: it trains, or the words for why it does not.

| its pod | due |
|---|---|
| is refused | say so at once |
| is there, and nothing runs in it | say so where that lasts |
| trains, and its collector crashes | say so where that lasts |
| trains | the condition Running, and the latest values |
"""

from __future__ import annotations

from datetime import datetime

from api.types import ConditionType, Trial
from controller.reconcile.actions import Action, EmitEvent, EventType, WakeAt, WriteStatus
from controller.reconcile.latest_values import show_latest_values
from controller.reconcile.observation import collector_failure
from controller.reconcile.trial_states import (
    COLLECTOR_CRASHED,
    PODS_PENDING,
    PODS_REFUSED,
    end_trial,
    mark_not_running,
    mark_pending,
    mark_running,
    waiting_since,
)
from controller.reconcile.views import PodFacts, Policy, TrialView

Actions = tuple[Action, ...]


def reconcile_running_trial(view: TrialView, now: datetime, policy: Policy) -> Actions:
    """Say what is due for a trial whose job runs."""
    trial, pods = view.trial, view.job.pods
    if pods.refused:
        return _refused(trial, pods.refused, now, policy)
    if pods.stuck:
        return _stuck(trial, pods, now, policy)
    if pods.crashing_since is not None:
        return _crashing(view, pods.crashing_since, now, policy)
    return _started(trial, now) or show_latest_values(view, now, policy.live_interval)


def failed_to_start(trial: Trial, why: str, now: datetime) -> Actions:
    """Say what is due where the job cannot be created, now or later."""
    after = end_trial(trial, ConditionType.FAILED, now, cause=why)
    return (WriteStatus(target=after), warning_event(trial, "JobFailed", f"{job_of(trial)}: {why}"))


def _started(trial: Trial, now: datetime) -> Actions:
    after = mark_running(trial, now)
    if after is trial:
        return ()
    return (
        WriteStatus(target=after),
        normal_event(trial, "JobRunning", f"{job_of(trial)} is running"),
    )


def _refused(trial: Trial, why: str, now: datetime, policy: Policy) -> Actions:
    """The job gets no pod: say so, and fail where that lasts too long."""
    after = mark_not_running(trial, PODS_REFUSED, why, now)
    if after is not trial:
        return (WriteStatus(target=after), warning_event(trial, PODS_REFUSED, why))
    deadline = policy.start_deadline
    begun = waiting_since(trial, PODS_REFUSED)
    if deadline is None or begun is None:
        return ()
    if now < begun + deadline:
        return (WakeAt(moment=begun + deadline),)
    return failed_to_start(trial, f"no pod could be created for {deadline}: {why}", now)


def _stuck(trial: Trial, pods: PodFacts, now: datetime, policy: Policy) -> Actions:
    """There is a pod, and nothing runs in it: say so where that lasts, as with one that is refused.

    Until then it counts as running, or as it was told of before: a flicker makes no writes.
    """
    since = pods.stuck_since or now - policy.pending_patience
    told = since + policy.pending_patience
    if now < told:
        known = waiting_since(trial, PODS_PENDING) is not None
        return (*(() if known else _started(trial, now)), WakeAt(moment=told))
    after = mark_pending(trial, pods.stuck, now)
    if after is not trial:
        return (WriteStatus(target=after), warning_event(trial, PODS_PENDING, pods.stuck))
    deadline = policy.start_deadline
    if deadline is None:
        return ()
    if now < since + deadline:
        return (WakeAt(moment=since + deadline),)
    return failed_to_start(trial, f"nothing ran in its pod for {deadline}: {pods.stuck}", now)


def _crashing(view: TrialView, since: datetime, now: datetime, policy: Policy) -> Actions:
    """The training runs, and nobody collects: say so where that lasts, for it may be in vain."""
    trial, told = view.trial, since + policy.pending_patience
    if now < told:
        return (*_started(trial, now), WakeAt(moment=told))
    why = collector_failure(view.job.pods)
    after = mark_running(trial, now, why)
    if after is trial:
        return show_latest_values(view, now, policy.live_interval)
    return (WriteStatus(target=after), warning_event(trial, COLLECTOR_CRASHED, why))


# -- words --------------------------------------------------------------------------------


def job_of(trial: Trial) -> str:
    """Name a trial's job."""
    return f"Job {trial.metadata.name}"


def normal_event(trial: Trial, reason: str, message: str) -> EmitEvent:
    """Tell of something usual."""
    return EmitEvent(about=trial, reason=reason, message=message)


def warning_event(trial: Trial, reason: str, message: str) -> EmitEvent:
    """Tell of something that somebody should look at."""
    return EmitEvent(about=trial, reason=reason, message=message, type=EventType.WARNING)
