"""An event loop with virtual time: sleeping takes no time, and each run is the same."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting for a while it lets the while be over."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "all wait, and nothing will ever happen"
        found = super().select(0)
        if not found:
            self.passed += timeout
        return found


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        # What is due within it is due: else a rest that is too small to be added would stay.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return 1000.0 + self._jumping.passed


def in_virtual_time(test: Coroutine[Any, Any, T]) -> T:
    """Run a test whose sleeping takes no time; it may wait for nothing but time."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(test)
