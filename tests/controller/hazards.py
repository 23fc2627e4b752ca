"""Ports between whose calls anything may break."""

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


class Hazard(StrEnum):
    """What befalls one of the calls of a turn."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    FAILED_BEFORE = "failed before"
    FAILED_AFTER = "failed, but done"


@dataclass
class Fate:
    """Which call of a turn is struck, and how."""

    hazard: Hazard | None = None
    at: int = 0


class Hazardous:
    """A port whose calls are counted, and one of them struck."""

    def __init__(self, inner: object, fate: Fate) -> None:
        self._inner, self._fate = inner, fate

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        call = getattr(self._inner, name)

        async def hazardous(*given: object) -> object:
            struck = self._fate.at == 0
            self._fate.at -= 1
            if struck and self._fate.hazard is Hazard.KILLED_BEFORE:
                raise Crash
            if struck and self._fate.hazard is Hazard.FAILED_BEFORE:
                raise Unavailable("struck")
            answer = await call(*given)
            if struck and self._fate.hazard is Hazard.KILLED_AFTER:
                raise Crash
            if struck and self._fate.hazard is Hazard.FAILED_AFTER:
                raise Unavailable("struck, though it was done")
            return answer

        return hazardous


def hazardous(memory: Memory, fate: Fate) -> Ports:
    """Return the ports of a memory, all under one fate."""

    def struck(port: object) -> Any:  # noqa: ANN401 - it stands in for any of the ports
        return Hazardous(port, fate)

    return Ports(
        objects=struck(memory.objects),
        jobs=struck(memory.jobs),
        observations=struck(memory.observations),
        suggestions=struck(memory.suggestions),
        services=struck(memory.services),
        events=memory.events,
    )


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what never waits, without a loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    raise AssertionError("it waited for something")
