"""The status of containers and pods, as values and as the `status` of a Pod."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from api.types import Json, JsonObject


class Phase(StrEnum):
    """The phase of a pod."""

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
    """One container. If it neither runs nor has terminated, it waits."""

    name: str
    image: str = ""
    restarts: int = 0
    running_since: str | None = None
    terminated: Terminated | None = None
    last: Terminated | None = None
    waiting: str = "PodInitializing"

    @property
    def ended(self) -> Terminated | None:
        """How the container ended last, even if it runs again."""
        return self.terminated or self.last

    def begun(self, moment: str) -> ContainerStatus:
        """Return the status after a start."""
        return replace(self, running_since=moment, last=self.ended, terminated=None)

    def over(self, how: Terminated) -> ContainerStatus:
        """Return the status after an end."""
        return replace(self, running_since=None, terminated=how)

    def again(self) -> ContainerStatus:
        """Return the status while the container waits for its restart."""
        waits = replace(self, restarts=self.restarts + 1, waiting="CrashLoopBackOff")
        return replace(waits, last=self.ended, terminated=None, running_since=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStatus:
    """The status of a pod."""

    phase: Phase = Phase.PENDING
    reason: str = ""
    message: str = ""
    started: str | None = None
    containers: tuple[ContainerStatus, ...] = ()
    init_containers: tuple[ContainerStatus, ...] = ()

    @property
    def over(self) -> bool:
        """Whether the pod has ended."""
        return self.phase in (Phase.SUCCEEDED, Phase.FAILED)

    @property
    def restarts(self) -> int:
        """How often the ordinary containers were restarted."""
        return sum(one.restarts for one in self.containers)


def phase_of(inits: Iterable[Terminated | None], mains: Sequence[Terminated | None]) -> Phase:
    """Return the phase of a pod after the end of all containers."""
    ended = (*inits, *mains)
    well = all(one is not None and one.status == 0 for one in ended)
    return Phase.SUCCEEDED if well else Phase.FAILED


def render_status(status: PodStatus) -> JsonObject:
    """Return a pod's `status` as JSON."""
    rendered: dict[str, Json] = {"phase": status.phase.value}
    if status.reason:
        rendered["reason"] = status.reason
    if status.message:
        rendered["message"] = status.message
    if status.started:
        rendered["startTime"] = status.started
    rendered |= {"hostIP": "127.0.0.1", "podIP": "127.0.0.1"}
    if status.init_containers:
        rendered["initContainerStatuses"] = [_render(one) for one in status.init_containers]
    rendered["containerStatuses"] = [_render(one) for one in status.containers]
    return rendered


def _render(one: ContainerStatus) -> JsonObject:
    rendered: dict[str, Json] = {
        "name": one.name,
        "image": one.image,
        "ready": one.running_since is not None,
        "restartCount": one.restarts,
        "started": one.running_since is not None,
        "state": _state(one),
    }
    if one.last is not None:
        rendered["lastState"] = {"terminated": _render_end(one.last)}
    return rendered


def _state(one: ContainerStatus) -> JsonObject:
    if one.terminated is not None:
        return {"terminated": _render_end(one.terminated)}
    if one.running_since is not None:
        return {"running": {"startedAt": one.running_since}}
    return {"waiting": {"reason": one.waiting}}


def _render_end(end: Terminated) -> JsonObject:
    rendered: dict[str, Json] = {"exitCode": end.status}
    if end.signal is not None:
        rendered["signal"] = end.signal
    rendered["reason"] = end.reason
    if end.message:
        rendered["message"] = end.message
    if end.started:
        rendered["startedAt"] = end.started
    rendered["finishedAt"] = end.finished
    return rendered
