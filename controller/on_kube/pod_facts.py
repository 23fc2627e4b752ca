"""What a trial's pods say: whether there was a collector, how it ended, why they do not run."""

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
"""Reasons for which a container waits and that do not pass by themselves, with the name used here:
the first attempts to pull an image and the pauses between them count as one reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSummary:
    """What is kept of a pod; there may be ten thousand."""

    trial: str
    created: str
    labels: Mapping[str, str]
    injected: bool
    collector_ended: bool = False
    """Whether the collector's container has ended, now or before its last restart."""
    collector_failed: str = ""
    """Reason and exit code of the collector's container, if it failed."""
    termination_message: str = ""
    stuck: str = ""
    """Why nothing in it runs, if waiting does not help: `REASON: message of Kubernetes`."""
    stuck_since: str = ""
    crashing_since: str = ""


def summary_of(pod: JsonObject) -> PodSummary:
    """Summarize a pod."""
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
        collector_ended=end is not None,
        collector_failed=f"{reason}, exit code {code}".removeprefix(", ") if code else "",
        termination_message=_text(end or {}, "message"),
        stuck=stuck,
        stuck_since=(since or created) if stuck else "",
        crashing_since="" if stuck else _crashing_since(statuses),
    )


def newest_primary_pod(pods: Iterable[PodSummary], trial: Trial) -> PodSummary | None:
    """Return the newest of the pods whose metrics count; None if there is none.

    Pods older than the trial belong to an earlier trial of the same name.
    """
    wanted, born = trial.spec.primary_pod_labels.items(), trial.metadata.creation_timestamp or ""
    primary = (pod for pod in pods if wanted <= pod.labels.items() and pod.created >= born)
    return max(primary, key=lambda pod: pod.created, default=None)


def facts_of(pods: Iterable[PodSummary], trial: Trial) -> PodFacts:
    """Return the facts of the newest pod whose metrics count; without one, nothing is known."""
    newest = newest_primary_pod(pods, trial)
    if newest is None:
        return PodFacts()
    return PodFacts(
        injected=newest.injected,
        collector_failed=newest.collector_failed,
        termination_message=newest.termination_message,
        stuck=newest.stuck,
        stuck_since=parse_time(newest.stuck_since),
        crashing_since=parse_time(newest.crashing_since),
    )


def _stuck(pod: JsonObject, statuses: Sequence[Mapping[str, Json]]) -> tuple[str, str]:
    """Return why nothing in the pod runs, and since when, if waiting does not help."""
    running = any(_at(one, "state", "running") for one in listed(pod, "status", _STATUSES[1]))
    if running or _at(pod, "metadata", "deletionTimestamp"):
        return "", ""
    conditions = listed(pod, "status", "conditions")
    scheduled = next((one for one in conditions if one.get("type") == "PodScheduled"), {})
    since = _text(scheduled, "lastTransitionTime")
    if scheduled.get("status") == "False":
        return f"{_text(scheduled, 'reason')}: {_text(scheduled, 'message')}", since
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
    """Return how the container ended, now or before its last restart."""
    for path in (("state", "terminated"), _ENDED):
        end = _at(status, *path)
        if isinstance(end, Mapping):
            return end
    return None


def _labels(pod: JsonObject) -> dict[str, str]:
    """Return the labels; their keys are interned, because ten thousand pods share them."""
    found = _at(pod, "metadata", "labels")
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {intern(str(key)): value for key, value in pairs if isinstance(value, str)}


def _named(items: Sequence[Mapping[str, Json]]) -> Iterator[Mapping[str, Json]]:
    return (item for item in items if item.get("name") == COLLECTOR_CONTAINER)


def listed(document: JsonObject, *path: str) -> list[Mapping[str, Json]]:
    """Return the objects of a list at a path in a document."""
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
