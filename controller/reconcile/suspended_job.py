"""A trial whose job is suspended: the trial waits, for as long as its job does.

A user or a queue such as Kueue suspends a job, and resumes it. A suspended job has no pods, so:

| the job | the trial | deadline |
|---|---|---|
| is suspended | Running is False, with the reason `TrialSuspended` | none |
| is suspended, and has the label of a Kueue queue | the same, `TrialQuotaAwaited` | none |
| is resumed | Running is True again | as for each job |
"""

from __future__ import annotations

from datetime import datetime

from api.documents import text_at, value_at
from api.names import QUEUE_LABEL
from api.types import JsonObject
from controller.reconcile.actions import Action, EmitEvent, WriteStatus
from controller.reconcile.event_reasons import EventReason
from controller.reconcile.trial_transitions import mark_not_running
from controller.reconcile.views import TrialView

_FIELDS = (("spec", "suspend"), ("spec", "runPolicy", "suspend"))
"""The second is the field of training jobs, such as PyTorchJob and MPIJob."""
_PENDING_RUN = "PipelineRunPending"
"""In `spec.status` of a Tekton PipelineRun: it is not started yet."""


def report_suspension(view: TrialView, now: datetime) -> tuple[Action, ...] | None:
    """Return what is due for a trial whose job is suspended; None if it is not."""
    trial, job = view.trial, view.job.document
    if job is None or not _is_suspended(job):
        return None
    queue = text_at(job, "metadata", "labels", QUEUE_LABEL)
    reason, text = EventReason.SUSPENDED, "Trial's job is suspended"
    if queue:
        reason, text = (
            EventReason.QUOTA_AWAITED,
            f"{text}: it waits for quota in Kueue's queue {queue}",
        )
    after = mark_not_running(trial, reason.value, text, now)
    if after is trial:
        return ()
    return (WriteStatus(target=after), EmitEvent(about=trial, reason=reason, message=text))


def _is_suspended(job: JsonObject) -> bool:
    if any(value_at(job, *path) is True for path in _FIELDS):
        return True
    return text_at(job, "spec", "status") == _PENDING_RUN
