"""Waits until a condition holds, and runs an endless coroutine beside a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

SECONDS = 60.0


async def eventually(holds: Callable[[], bool], *, seconds: float = SECONDS) -> None:
    """Return as soon as it holds; fail where it never does."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.002)


@asynccontextmanager
async def beside(*endless: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Run what never ends beside the body, and cancel it afterwards."""
    tasks = [asyncio.create_task(one) for one in endless]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
