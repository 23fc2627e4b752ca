"""A trial whose training has ended while other containers of its pod still run.

Such a container, for example a network proxy, keeps the pod running, and so the job. The trial is
decided by the container that trains:

| the container that trains | the job | within the grace | after it |
|---|---|---|---|
| has ended with exit code 0 | runs | the condition says so | as if the job had succeeded |
| has ended with another code | runs | the same | as if the job had failed |

A Job starts a new pod for a failed one only when the failed pod has ended, so the retries of the
Job are not used. To use them, the controller would have to delete pods: a right that it does not
have.
"""

from __future__ import annotations

from datetime import datetime

from api.documents import value_at
from api.types import JsonObject, Trial
from controller.reconcile.actions import Action, EmitEvent, WakeAt, WriteStatus
from controller.reconcile.event_reasons import EventReason
from controller.reconcile.jobs import JobOutcome, JobState
from controller.reconcile.trial_transitions import mark_containers_running
from controller.reconcile.views import Policy, PrimaryEnd, TrialView

_ONE = (None, 1)
_USUAL_RETRIES = 6
"""The default of a Job's `backoffLimit`."""


def state_by_container(view: TrialView, now: datetime, policy: Policy) -> JobState | None:
    """Return the state of a job that only other containers keep running; None before the grace."""
    end = _end_of_training(view)
    if end is None or policy.container_grace is None:
        return None
    if now < end.at + policy.container_grace:
        return None
    return JobState(
        outcome=JobOutcome.FAILED if end.exit_code else JobOutcome.SUCCEEDED,
        reason="OtherContainersRan",
        message=f"{_sentence(view.trial, end)} after {policy.container_grace}"
        f"{_unused_retries(view.job.document, end)}",
    )


def report_other_containers(
    view: TrialView, now: datetime, policy: Policy
) -> tuple[Action, ...] | None:
    """Return what is due within the grace; None if no training has ended, or without a limit."""
    end = _end_of_training(view)
    if end is None:
        return None
    trial, text = view.trial, _sentence(view.trial, end)
    wake: tuple[Action, ...] = ()
    if policy.container_grace is not None:
        text += f"; the trial ends without them after {policy.container_grace}"
        wake = (WakeAt(moment=end.at + policy.container_grace),)
    after = mark_containers_running(trial, text, now)
    if after is trial:
        return wake
    event = EmitEvent(about=trial, reason=EventReason.CONTAINERS_RUNNING, message=text)
    return (WriteStatus(target=after), event, *wake)


def _end_of_training(view: TrialView) -> PrimaryEnd | None:
    job = view.job
    if job.document is None or not _has_one_primary_pod(view.trial, job.document):
        return None
    return job.pods.primary_end


def _has_one_primary_pod(trial: Trial, job: JsonObject) -> bool:
    """Return whether the end of one pod's training is the end of the trial's."""
    if job.get("kind") != "Job":
        return bool(trial.spec.primary_pod_labels) or job.get("kind") == "Pod"
    return all(value_at(job, "spec", key) in _ONE for key in ("completions", "parallelism"))


def _sentence(trial: Trial, end: PrimaryEnd) -> str:
    others = ", ".join(end.running)
    return (
        f"container {trial.spec.primary_container_name} has ended with exit code {end.exit_code},"
        f" but its pod still runs {others}"
    )


def _unused_retries(job: JsonObject | None, end: PrimaryEnd) -> str:
    """Return why a failed training is not tried again, and how to let it; "" if it would not be."""
    retries = value_at(job, "spec", "backoffLimit")
    if not end.exit_code or value_at(job, "kind") != "Job" or retries == 0:
        return ""
    return (
        f"; the retries of its Job (backoffLimit {_USUAL_RETRIES if retries is None else retries})"
        " are not used, because a Job counts a failure when the pod has ended: make"
        f" {', '.join(end.running)} a native sidecar (an init container with restartPolicy Always)"
    )
