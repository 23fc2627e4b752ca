"""Tasks that run in the background of a block, and ways to wait for the first of several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

StartTask = Callable[[Coroutine[Any, Any, object]], asyncio.Task[Any]]


@asynccontextmanager
async def background_tasks() -> AsyncIterator[StartTask]:
    """Give a function that starts background tasks; they are cancelled when the block ends.

    An error of the block is raised as it is. An error in a task cancels the block and the other
    tasks, and is raised here in a group.
    """
    tasks: list[asyncio.Task[Any]] = []
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:

        def start(work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
            tasks.append(group.create_task(work))
            return tasks[-1]

        try:
            yield start
        except Exception as error:  # noqa: BLE001 - raised below, where no group wraps it
            failure = error
        finally:
            for task in tasks:
                task.cancel()
    if failure is not None:
        raise failure


async def first_done(*tasks: asyncio.Task[Any], seconds: float | None = None) -> None:
    """Wait until one of the tasks is done, or the time is over. Cancels none of them."""
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def done_before(event: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Run `work` until it is done or the event is set; return whether it is done."""
    async with background_tasks() as start:
        working, waiting = start(work), start(event.wait())
        await first_done(working, waiting)
        return working.done()
