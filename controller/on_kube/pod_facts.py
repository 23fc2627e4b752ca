"""What a trial's pods say: whether there was a collector, how it ended, why they do not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern

from api.documents import mapping_at, mappings_at, text_at, value_at
from api.names import COLLECTOR_CONTAINER, TRIAL_LABEL
from api.types import JsonObject, Trial
from controller.reconcile.times import parse_time
from controller.reconcile.views import PodFacts, PrimaryEnd

_CONTAINERS = ("initContainers", "containers")
_STATUSES = ("initContainerStatuses", "containerStatuses")
_NOT_STARTED = {"StartError", "ContainerCannotRun"}
"""Reasons with which a container ends whose program could not be started."""
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
class EndedContainer:
    """A container that has ended and does not start again."""

    name: str
    exit_code: int
    at: str


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
    ended: tuple[EndedContainer, ...] = ()
    """The containers that have ended for good beside others that run."""
    running: tuple[str, ...] = ()
    """The ordinary containers that run, without the collector; known only if others have ended."""


def summary_of(pod: JsonObject) -> PodSummary:
    """Summarize a pod."""
    labels = _labels(pod)
    created = text_at(pod, "metadata", "creationTimestamp")
    statuses = [status for place in _STATUSES for status in mappings_at(pod, "status", place)]
    injected = any(True for place in _CONTAINERS for _ in _named(mappings_at(pod, "spec", place)))
    collectors = _named(statuses) if injected else ()
    end = next((end for status in collectors if (end := _end_of(status))), {})
    code, reason = end.get("exitCode"), text_at(end, "reason")
    stuck, since = _stuck(pod, statuses)
    ended, running = _partly_ended(pod)
    return PodSummary(
        trial=labels.get(TRIAL_LABEL, ""),
        created=created,
        labels=labels,
        injected=injected,
        collector_ended=bool(end),
        collector_failed=f"{reason}, exit code {code}".removeprefix(", ") if code else "",
        termination_message=text_at(end, "message"),
        stuck=stuck,
        stuck_since=(since or created) if stuck else "",
        crashing_since="" if stuck else _crashing_since(statuses),
        ended=ended,
        running=running,
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
        primary_end=_primary_end(newest, trial.spec.primary_container_name),
    )


def _primary_end(pod: PodSummary, container: str) -> PrimaryEnd | None:
    end = next((ended for ended in pod.ended if ended.name == container), None)
    at = parse_time(end.at) if end else None
    if end is None or at is None:
        return None
    return PrimaryEnd(exit_code=end.exit_code, at=at, running=pod.running)


def _partly_ended(pod: JsonObject) -> tuple[tuple[EndedContainer, ...], tuple[str, ...]]:
    """Return the ordinary containers that have ended, and those that run; () unless both exist."""
    policy = text_at(pod, "spec", "restartPolicy") or "Always"
    ended: list[EndedContainer] = []
    running: list[str] = []
    for status in mappings_at(pod, "status", _STATUSES[1]):
        name, end = intern(text_at(status, "name")), mapping_at(status, "state", "terminated")
        code = end.get("exitCode")
        if value_at(status, "state", "running") and name != COLLECTOR_CONTAINER:
            running.append(name)
        elif isinstance(code, int) and (policy == "Never" or (policy == "OnFailure" and not code)):
            at = text_at(end, "finishedAt")
            ended.append(EndedContainer(name=name, exit_code=code, at=at))
    if not (ended and running) or value_at(pod, "metadata", "deletionTimestamp"):
        return (), ()
    return tuple(ended), tuple(running)


def _stuck(pod: JsonObject, statuses: Sequence[JsonObject]) -> tuple[str, str]:
    """Return why nothing in the pod runs, and since when, if waiting does not help."""
    running = any(
        value_at(status, "state", "running") for status in mappings_at(pod, "status", _STATUSES[1])
    )
    if running or value_at(pod, "metadata", "deletionTimestamp"):
        return "", ""
    conditions = mappings_at(pod, "status", "conditions")
    scheduled = next((known for known in conditions if known.get("type") == "PodScheduled"), {})
    since = text_at(scheduled, "lastTransitionTime")
    if scheduled.get("status") == "False":
        return f"{text_at(scheduled, 'reason')}: {text_at(scheduled, 'message')}", since
    for status in statuses:
        reason = _LASTING.get(text_at(status, "state", "waiting", "reason"))
        if reason is not None:
            where = f"{reason} of container {text_at(status, 'name')}"
            since = text_at(status, *_ENDED, "finishedAt") or since
            return f"{where}: {_details(pod, status)}", since
    return "", ""


def _details(pod: JsonObject, status: JsonObject) -> str:
    """Return why a container waits; for the collector with its image, which users do not choose.

    After the first tries to start a program that the image does not have, only the last try names
    the program.
    """
    message = text_at(status, "state", "waiting", "message")
    if text_at(status, *_ENDED, "reason") in _NOT_STARTED:
        message = text_at(status, *_ENDED, "message") or message
    if text_at(status, "name") != COLLECTOR_CONTAINER:
        return message
    specs = [spec for place in _CONTAINERS for spec in mappings_at(pod, "spec", place)]
    image = next((text_at(spec, "image") for spec in _named(specs)), "")
    return f"{message} (image {image}, which katib-config names)" if image else message


def _crashing_since(statuses: Sequence[JsonObject]) -> str:
    waiting = (
        status
        for status in _named(statuses)
        if text_at(status, "state", "waiting", "reason") == "CrashLoopBackOff"
    )
    return next((text_at(status, *_ENDED, "finishedAt") for status in waiting), "")


_ENDED = ("lastState", "terminated")


def _end_of(status: JsonObject) -> JsonObject:
    """Return how the container ended, now or before its last restart; {} if it has not."""
    return mapping_at(status, "state", "terminated") or mapping_at(status, *_ENDED)


def _labels(pod: JsonObject) -> dict[str, str]:
    """Return the labels; their keys are interned, because ten thousand pods share them."""
    labels = mapping_at(pod, "metadata", "labels")
    return {intern(str(key)): value for key, value in labels.items() if isinstance(value, str)}


def _named(items: Sequence[JsonObject]) -> Iterator[JsonObject]:
    return (item for item in items if item.get("name") == COLLECTOR_CONTAINER)
