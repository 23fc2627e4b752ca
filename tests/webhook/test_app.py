"""The background tasks, and what an error in one of them does."""

from __future__ import annotations

import asyncio

import pytest

from serving.life import beside


class Faulty(Exception):
    pass


async def _fails() -> None:
    await asyncio.sleep(0)
    raise Faulty


async def _endless() -> None:
    await asyncio.Event().wait()


async def test_what_is_endless_ends_with_the_body() -> None:
    ended = asyncio.Event()

    async with beside([_endless, _endless], ended):
        await asyncio.sleep(0)
        assert not ended.is_set()


async def test_a_fault_beside_the_body_ends_it_and_is_raised() -> None:
    ended = asyncio.Event()

    with pytest.raises(Faulty):
        async with beside([_endless, _fails], ended):
            await ended.wait()


async def test_a_fault_of_the_body_is_the_one_that_counts() -> None:
    with pytest.raises(ValueError, match="mine"):  # noqa: PT012 - it is raised within
        async with beside([_fails, _endless], asyncio.Event()):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            raise ValueError("mine")
