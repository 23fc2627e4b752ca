"""A job's `status` as Kubernetes writes it: a trial's conditions find in it what they seek."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.types import Json, JsonObject
from runner.pods.statuses import ContainerStatus, PodStatus, render_status

COMPLETED = "CompletionsReached"
BACKOFF = "BackoffLimitExceeded"
DEADLINE = "DeadlineExceeded"
REFUSED = "PodRefused"
"""Ours: no pod could be made of the job on this machine; to try again would end the same."""
_SENTENCES = {
    COMPLETED: "Reached expected number of succeeded pods",
    BACKOFF: "Job has reached the specified backoff limit",
    DEADLINE: "Job was active longer than specified deadline",
    REFUSED: "No pod of the job can run on this machine",
}
_LONGEST_CAUSE = 400
_LAST_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job ended."""

    reason: str
    cause: str = ""
    """What its last pod died of."""

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was for."""
        return self.reason == COMPLETED

    @property
    def message(self) -> str:
        """The sentence of the condition: Kubernetes' own, and the cause."""
        sentence = _SENTENCES[self.reason]
        return f"{sentence}: {self.cause}" if self.cause else sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is known of a job."""

    started: str
    failed: int = 0
    pod: PodStatus | None = None
    """Of the pod that runs, or ran last."""
    outcome: Outcome | None = None
    ended: str = ""
    bare: bool = False


def with_status(document: JsonObject, progress: Progress) -> JsonObject:
    """Return a job's document with its status."""
    if progress.bare:
        return {**document, "status": _pods(progress)}
    return {**document, "status": _jobs(progress)}


def _jobs(progress: Progress) -> JsonObject:
    told: dict[str, Json] = {"startTime": progress.started}
    active = progress.outcome is None and progress.pod is not None and not progress.pod.over
    if active:
        told |= {"active": 1, "ready": _ready(progress.pod)}
    if progress.failed:
        told["failed"] = progress.failed
    if progress.outcome is not None:
        told["conditions"] = list(_conditions(progress, progress.outcome))
        if progress.outcome.succeeded:
            told |= {"succeeded": 1, "completionTime": progress.ended}
    return told


def _ready(pod: PodStatus | None) -> int:
    return int(pod is not None and all(one.running_since for one in pod.containers))


def _conditions(progress: Progress, outcome: Outcome) -> Iterator[JsonObject]:
    """Give what the Job controller sets: what will be, and, when all pods are gone, what is."""
    kinds = ("SuccessCriteriaMet", "Complete") if outcome.succeeded else ("FailureTarget", "Failed")
    for kind in kinds:
        yield {
            "type": kind,
            "status": "True",
            "lastProbeTime": progress.ended,
            "lastTransitionTime": progress.ended,
            "reason": outcome.reason,
            "message": outcome.message,
        }


def _pods(progress: Progress) -> JsonObject:
    told = dict(render_status(progress.pod or PodStatus()))
    if progress.outcome is not None and not progress.outcome.succeeded:
        told |= {"phase": "Failed", "reason": progress.outcome.reason}
        told["message"] = progress.outcome.message
    return told


def cause_of(pod: PodStatus) -> str:
    """Say in a sentence what a pod died of: its own word, else its first container that failed."""
    if pod.message:
        last = next((one for one in pod.containers if one.ended), None)
        words = _last_lines(last)
        return f"{pod.message}; the last it printed: {words}" if words else pod.message
    for one in (*pod.init_containers, *pod.containers):
        end = one.ended
        if end is None or end.status == 0:
            continue
        if end.started is None:
            return f"container {one.name}: {end.message}"
        how = f"ended with status {end.status}"
        if end.signal is not None:
            how = f"was killed by signal {end.signal}"
        words = _last_lines(one)
        return (
            f"container {one.name} {how}; the last it printed: {words}"
            if words
            else (f"container {one.name} {how}, and printed nothing")
        )
    return ""


def _last_lines(one: ContainerStatus | None) -> str:
    """Return what a user would look for at the end of a log, on one line."""
    text = one.ended.message if one is not None and one.ended is not None else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    shown = "".join(c if c.isprintable() else " " for c in " | ".join(lines[-_LAST_LINES:]))
    return shown if len(shown) <= _LONGEST_CAUSE else f"{shown[: _LONGEST_CAUSE - 1]}…"
