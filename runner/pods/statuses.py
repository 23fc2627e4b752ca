"""What the kubelet would say of containers and of their pod: values, and as `status` of a Pod."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from api.types import Json, JsonObject

WORDS = 4096
"""Bytes of a container's last words, as Kubernetes keeps them."""


class Phase(StrEnum):
    """Where a pod is in its life."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminated:
    """How a container ended."""

    status: int
    signal: int | None = None
    reason: str
    message: str = ""
    started: str | None = None
    finished: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStatus:
    """One container. Neither running nor terminated, it waits."""

    name: str
    image: str = ""
    restarts: int = 0
    running_since: str | None = None
    terminated: Terminated | None = None
    last: Terminated | None = None
    waiting: str = "PodInitializing"

    @property
    def ended(self) -> Terminated | None:
        """How it ended last, be it that it runs again."""
        return self.terminated or self.last

    def begun(self, moment: str) -> ContainerStatus:
        """Return what it is once it runs."""
        return replace(self, running_since=moment, last=self.ended, terminated=None)

    def over(self, how: Terminated) -> ContainerStatus:
        """Return what it is once it has ended."""
        return replace(self, running_since=None, terminated=how)

    def again(self) -> ContainerStatus:
        """Return what it is while it waits to be started again."""
        waits = replace(self, restarts=self.restarts + 1, waiting="CrashLoopBackOff")
        return replace(waits, last=self.ended, terminated=None, running_since=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStatus:
    """A pod."""

    phase: Phase = Phase.PENDING
    reason: str = ""
    message: str = ""
    started: str | None = None
    containers: tuple[ContainerStatus, ...] = ()
    init_containers: tuple[ContainerStatus, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.phase in (Phase.SUCCEEDED, Phase.FAILED)

    @property
    def restarts(self) -> int:
        """How often its ordinary containers were started again."""
        return sum(one.restarts for one in self.containers)


def phase_of(inits: Iterable[Terminated | None], mains: Sequence[Terminated | None]) -> Phase:
    """Judge a pod of which nothing runs any more."""
    ended = (*inits, *mains)
    well = all(one is not None and one.status == 0 for one in ended)
    return Phase.SUCCEEDED if well else Phase.FAILED


def render_status(status: PodStatus) -> JsonObject:
    """Write a pod's `status`."""
    told: dict[str, Json] = {"phase": status.phase.value}
    if status.reason:
        told["reason"] = status.reason
    if status.message:
        told["message"] = status.message
    if status.started:
        told["startTime"] = status.started
    told |= {"hostIP": "127.0.0.1", "podIP": "127.0.0.1"}
    if status.init_containers:
        told["initContainerStatuses"] = [_render(one) for one in status.init_containers]
    told["containerStatuses"] = [_render(one) for one in status.containers]
    return told


def _render(one: ContainerStatus) -> JsonObject:
    told: dict[str, Json] = {
        "name": one.name,
        "image": one.image,
        "ready": one.running_since is not None,
        "restartCount": one.restarts,
        "started": one.running_since is not None,
        "state": _state(one),
    }
    if one.last is not None:
        told["lastState"] = {"terminated": _render_end(one.last)}
    return told


def _state(one: ContainerStatus) -> JsonObject:
    if one.terminated is not None:
        return {"terminated": _render_end(one.terminated)}
    if one.running_since is not None:
        return {"running": {"startedAt": one.running_since}}
    return {"waiting": {"reason": one.waiting}}


def _render_end(end: Terminated) -> JsonObject:
    told: dict[str, Json] = {"exitCode": end.status}
    if end.signal is not None:
        told["signal"] = end.signal
    told["reason"] = end.reason
    if end.message:
        told["message"] = end.message
    if end.started:
        told["startedAt"] = end.started
    told["finishedAt"] = end.finished
    return told
