"""Ports of which one call fails, or at which the controller is killed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

from api.errors import Unavailable
from controller.driver.memory import Memory
from controller.driver.ports import Ports

T = TypeVar("T")


class Crash(BaseException):
    """The controller is killed here."""


class CallFailure(StrEnum):
    """How a call fails."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    FAILED_BEFORE = "failed before"
    FAILED_AFTER = "failed, but done"


@dataclass
class FailingCall:
    """Which call of one reconcile fails, and how."""

    failure: CallFailure | None = None
    at: int = 0
    """How many calls succeed before it."""


class FailingPort:
    """A port that counts its calls and lets one of them fail."""

    def __init__(self, inner: object, failing: FailingCall) -> None:
        self._inner, self._failing = inner, failing

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        call = getattr(self._inner, name)

        async def failing_call(*given: object) -> object:
            fails = self._failing.at == 0
            self._failing.at -= 1
            if fails and self._failing.failure is CallFailure.KILLED_BEFORE:
                raise Crash
            if fails and self._failing.failure is CallFailure.FAILED_BEFORE:
                raise Unavailable("the call failed")
            answer = await call(*given)
            if fails and self._failing.failure is CallFailure.KILLED_AFTER:
                raise Crash
            if fails and self._failing.failure is CallFailure.FAILED_AFTER:
                raise Unavailable("the call failed, but took effect")
            return answer

        return failing_call


def failing_ports(memory: Memory, failing: FailingCall) -> Ports:
    """Return the ports of a memory; the failing call is counted over all of them."""

    def port_of(inner: object) -> Any:  # noqa: ANN401 - it stands in for any of the ports
        return FailingPort(inner, failing)

    return Ports(
        objects=port_of(memory.objects),
        jobs=port_of(memory.jobs),
        observations=port_of(memory.observations),
        suggestions=port_of(memory.suggestions),
        services=port_of(memory.services),
        events=memory.events,
    )


def run_without_waiting(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    raise AssertionError("it waited for something")
