"""What the pods of a trial say: was there a collector, what became of it, why do they not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern

from api.names import COLLECTOR_CONTAINER, TRIAL_LABEL
from api.types import Json, JsonObject, Trial
from controller.reconcile.times import parse_time
from controller.reconcile.views import PodFacts

_CONTAINERS = ("initContainers", "containers")
_STATUSES = ("initContainerStatuses", "containerStatuses")
_LASTING = {
    reason: reason
    for reason in (
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "PostStartHookError",
        "RunContainerError",
    )
} | {"ErrImagePull": "ImagePullBackOff"}
"""What a container waits for that does not come by itself, and what it is called here: the first
tries to pull and the pauses between them are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSummary:
    """All that is remembered of a pod; there may be ten thousand."""

    trial: str
    created: str
    labels: Mapping[str, str]
    injected: bool
    spoke: bool = False
    """The collector's container has come to an end, now or before it was started again."""
    failed: str = ""
    words: str = ""
    stuck: str = ""
    """Why nothing in it runs, where that does not pass by itself: `REASON: what Kubernetes says`"""
    stuck_since: str = ""
    crashing_since: str = ""


def summary_of(pod: JsonObject) -> PodSummary:
    """Read a pod."""
    labels = _labels(pod)
    created = _text(pod, "metadata", "creationTimestamp")
    statuses = [status for place in _STATUSES for status in listed(pod, "status", place)]
    injected = any(True for place in _CONTAINERS for _ in _named(listed(pod, "spec", place)))
    collectors = _named(statuses) if injected else ()
    end = next((end for one in collectors if (end := _end_of(one))), None)
    code, reason = (end or {}).get("exitCode"), _text(end or {}, "reason")
    stuck, since = _stuck(pod, statuses)
    return PodSummary(
        trial=labels.get(TRIAL_LABEL, ""),
        created=created,
        labels=labels,
        injected=injected,
        spoke=end is not None,
        failed=f"{reason}, exit code {code}".removeprefix(", ") if code else "",
        words=_text(end or {}, "message"),
        stuck=stuck,
        stuck_since=(since or created) if stuck else "",
        crashing_since="" if stuck else _crashing_since(statuses),
    )


def newest_primary_pod(pods: Iterable[PodSummary], trial: Trial) -> PodSummary | None:
    """Return the newest of the pods whose metrics count.

    Pods that are older than the trial are of another one of its name.
    """
    wanted, born = trial.spec.primary_pod_labels.items(), trial.metadata.creation_timestamp or ""
    primary = (pod for pod in pods if wanted <= pod.labels.items() and pod.created >= born)
    return max(primary, key=lambda pod: pod.created, default=None)


def facts_of(pods: Iterable[PodSummary], trial: Trial) -> PodFacts:
    """Tell of the newest of the pods whose metrics count; of no pods nothing is known."""
    newest = newest_primary_pod(pods, trial)
    if newest is None:
        return PodFacts()
    return PodFacts(
        injected=newest.injected,
        collector_failed=newest.failed,
        termination_message=newest.words,
        stuck=newest.stuck,
        stuck_since=parse_time(newest.stuck_since),
        crashing_since=parse_time(newest.crashing_since),
    )


def _stuck(pod: JsonObject, statuses: Sequence[Mapping[str, Json]]) -> tuple[str, str]:
    """Say why nothing in the pod runs, and since when; only what does not pass by itself."""
    running = any(_at(one, "state", "running") for one in listed(pod, "status", _STATUSES[1]))
    if running or _at(pod, "metadata", "deletionTimestamp"):
        return "", ""
    conditions = listed(pod, "status", "conditions")
    placed = next((one for one in conditions if one.get("type") == "PodScheduled"), {})
    since = _text(placed, "lastTransitionTime")
    if placed.get("status") == "False":
        return f"{_text(placed, 'reason')}: {_text(placed, 'message')}", since
    for status in statuses:
        reason = _LASTING.get(_text(status, "state", "waiting", "reason"))
        if reason is not None:
            where = f"{reason} of container {_text(status, 'name')}"
            message = _text(status, "state", "waiting", "message")
            return f"{where}: {message}", _text(status, *_ENDED, "finishedAt") or since
    return "", ""


def _crashing_since(statuses: Sequence[Mapping[str, Json]]) -> str:
    waiting = (
        one
        for one in _named(statuses)
        if _text(one, "state", "waiting", "reason") == "CrashLoopBackOff"
    )
    return next((_text(one, *_ENDED, "finishedAt") for one in waiting), "")


_ENDED = ("lastState", "terminated")


def _end_of(status: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """Return how the container ended: now, or before it was started again."""
    for path in (("state", "terminated"), _ENDED):
        end = _at(status, *path)
        if isinstance(end, Mapping):
            return end
    return None


def _labels(pod: JsonObject) -> dict[str, str]:
    """Read the labels; ten thousand pods have the same few keys."""
    found = _at(pod, "metadata", "labels")
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {intern(str(key)): value for key, value in pairs if isinstance(value, str)}


def _named(items: Sequence[Mapping[str, Json]]) -> Iterator[Mapping[str, Json]]:
    return (item for item in items if item.get("name") == COLLECTOR_CONTAINER)


def listed(document: JsonObject, *path: str) -> list[Mapping[str, Json]]:
    """Return the mappings of a list that is somewhere in a document."""
    found = _at(document, *path)
    items = found if isinstance(found, list | tuple) else ()
    return [item for item in items if isinstance(item, Mapping)]


def _at(document: JsonObject, *path: str) -> Json:
    found: Json = document
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _text(document: JsonObject, *path: str) -> str:
    found = _at(document, *path)
    return found if isinstance(found, str) else ""
