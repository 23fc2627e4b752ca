"""Background tasks end with their block, and errors keep their kinds."""

from __future__ import annotations

import asyncio

import pytest

from controller.background import background_tasks


async def test_an_error_of_the_block_is_raised_as_it_is_and_ends_the_tasks() -> None:
    tasks: list[asyncio.Task[None]] = []

    async def run() -> None:
        async with background_tasks() as start:
            tasks.append(start(asyncio.sleep(600)))
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        await run()
    assert tasks[0].cancelled()


async def test_an_error_of_a_task_ends_the_block_and_comes_in_a_group() -> None:
    async def fail() -> None:
        raise OSError("the disk is full")

    async def run() -> None:
        async with background_tasks() as start:
            _ = start(fail())
            await asyncio.sleep(600)

    with pytest.raises(ExceptionGroup) as raised:
        await run()
    assert raised.group_contains(OSError, match="the disk is full")


async def test_a_task_that_runs_ends_with_its_block() -> None:
    async with background_tasks() as start:
        task = start(asyncio.sleep(600))

    assert task.cancelled()
