"""A job's `status` as Kubernetes writes it, so that a trial's conditions can evaluate it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.types import Json, JsonObject
from runner.pods.statuses import ContainerStatus, PodStatus, Terminated, render_status

COMPLETED = "CompletionsReached"
BACKOFF = "BackoffLimitExceeded"
DEADLINE = "DeadlineExceeded"
REFUSED = "PodRefused"
"""trialwatch's own reason: no pod of the job can run here, so retries are useless."""
_SENTENCES = {
    COMPLETED: "Reached expected number of succeeded pods",
    BACKOFF: "Job has reached the specified backoff limit",
    DEADLINE: "Job was active longer than specified deadline",
    REFUSED: "No pod of the job can run on this machine",
}
_LAST_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """How a job ended."""

    reason: str
    cause: str = ""
    """Why the last pod failed."""

    @property
    def succeeded(self) -> bool:
        """Whether the job succeeded."""
        return self.reason == COMPLETED

    @property
    def message(self) -> str:
        """The message of the condition: Kubernetes' sentence, then the cause."""
        sentence = _SENTENCES[self.reason]
        return f"{sentence}: {self.cause}" if self.cause else sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """The state of a job."""

    started: str
    failed: int = 0
    pod: PodStatus | None = None
    """The status of the current pod, or of the last one."""
    outcome: JobEnd | None = None
    ended: str = ""
    bare: bool = False


def with_status(document: JsonObject, progress: JobProgress) -> JsonObject:
    """Return a job's document with its status."""
    if progress.bare:
        return {**document, "status": _pods(progress)}
    return {**document, "status": _jobs(progress)}


def _jobs(progress: JobProgress) -> JsonObject:
    rendered: dict[str, Json] = {"startTime": progress.started}
    active = progress.outcome is None and progress.pod is not None and not progress.pod.over
    if active:
        rendered |= {"active": 1, "ready": _ready(progress.pod)}
    if progress.failed:
        rendered["failed"] = progress.failed
    if progress.outcome is not None:
        rendered["conditions"] = list(_conditions(progress, progress.outcome))
        if progress.outcome.succeeded:
            rendered |= {"succeeded": 1, "completionTime": progress.ended}
    return rendered


def _ready(pod: PodStatus | None) -> int:
    return int(pod is not None and all(one.running_since for one in pod.containers))


def _conditions(progress: JobProgress, outcome: JobEnd) -> Iterator[JsonObject]:
    """Yield the conditions of the Job controller: the announced result, then the final one."""
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


def _pods(progress: JobProgress) -> JsonObject:
    rendered = dict(render_status(progress.pod or PodStatus()))
    if progress.outcome is not None and not progress.outcome.succeeded:
        rendered |= {"phase": "Failed", "reason": progress.outcome.reason}
        rendered["message"] = progress.outcome.message
    return rendered


def cause_of(pod: PodStatus) -> str:
    """Return why a pod failed: its own message, else its first failed container."""
    if pod.message:
        last = next((one for one in pod.containers if one.ended), None)
        words = " | ".join(_last_lines(last.ended if last else None))
        return f"{pod.message}; its last output: {words}" if words else pod.message
    one = _failed_container(pod)
    if one is None or one.ended is None:
        return ""
    end = one.ended
    if end.started is None:
        return f"container {one.name}: {end.message}"
    how = f"ended with status {end.status}"
    if end.signal is not None:
        how = f"was killed by signal {end.signal}"
    words = " | ".join(_last_lines(end))
    return f"container {one.name} {how}" + (
        f"; its last output: {words}" if words else ", without output"
    )


def brief_cause_of(pod: PodStatus) -> str:
    """Return why a pod failed, with only the last line of its output."""
    one = _failed_container(pod)
    if one is None or one.ended is None:
        return pod.message
    end = one.ended
    if end.started is None:
        return end.message
    how = f"exit status {end.status}" if end.signal is None else f"killed by signal {end.signal}"
    lines = _last_lines(end)
    return f"{how}, last line: {lines[-1]}" if lines else f"{how}, without output"


def _failed_container(pod: PodStatus) -> ContainerStatus | None:
    every = (*pod.init_containers, *pod.containers)
    return next((one for one in every if one.ended and one.ended.status != 0), None)


def _last_lines(end: Terminated | None) -> list[str]:
    """Return the last lines of a container's output; no line is cut, its end may matter."""
    text = end.message if end is not None else ""
    every = [line for line in text.splitlines() if line.strip()]
    lines = [line.strip() for line in _without_frames(every)]
    return ["".join(c if c.isprintable() else " " for c in line) for line in lines[-_LAST_LINES:]]


def _without_frames(lines: list[str]) -> list[str]:
    """Return what follows the last traceback of Python: the exception; all lines without one."""
    frames = [i for i, line in enumerate(lines) if line.startswith('  File "')]
    if not frames:
        return lines
    rest = [line for line in lines[frames[-1] :] if not line.startswith(" ")]
    return rest or lines
