"""What hostile clients cannot take from others: places, bytes, time, streams. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from serving.call_limits import CallLimits, Limits, TooSlow
from serving.fair_budget import Client, TooManyCalls
from tests.virtual_time import in_virtual_time

LARGE, SMALL = b"x" * 1_000_000, b"x" * 100
ANN = Client("10.0.0.1", "namespace ann")

Read = Callable[[], Awaitable[bytes]]


def crowd(count: int) -> list[Client]:
    """Return clients with a namespace of their own each."""
    return [Client(f"10.0.1.{number}", f"namespace mallory-{number}") for number in range(count)]


async def large() -> bytes:
    return LARGE


async def small() -> bytes:
    return SMALL


async def never() -> bytes:
    await asyncio.sleep(1e9)
    return b""


class Attack:
    """Calls of many clients; those that are answered keep what they have."""

    def __init__(self, limits: CallLimits, clients: list[Client], read: Read) -> None:
        self._limits, self._read = limits, read
        self.answered = 0
        self.errors: list[Exception] = []
        self._tasks = [asyncio.ensure_future(self._call(one)) for one in clients for _ in range(4)]

    async def _call(self, client: Client) -> None:
        try:
            async with self._limits.request(client, self._read):
                self.answered += 1
                await asyncio.sleep(1e9)
        except (TooSlow, TooManyCalls) as error:
            self.errors.append(error)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def honest_call(limits: CallLimits) -> float:
    """Answer a small call; return the seconds that it has waited."""
    start = asyncio.get_running_loop().time()
    async with limits.request(ANN, small) as data:
        assert data == SMALL
    return asyncio.get_running_loop().time() - start


def test_a_small_call_does_not_wait_for_large_requests_that_take_all_bytes() -> None:
    async def scenario() -> None:
        limits = CallLimits(Limits(request_bytes=3 * len(LARGE)))
        attack = Attack(limits, crowd(32), large)
        await asyncio.sleep(0.1)

        waits = [await honest_call(limits) for _ in range(100)]

        assert attack.answered == 3, "no large request has ended"
        assert max(waits) <= 1.0
        assert sum(waits) <= 5.0
        await attack.close()

    in_virtual_time(scenario())


def test_a_small_call_does_not_wait_for_requests_that_never_arrive() -> None:
    async def scenario() -> None:
        limits = CallLimits()
        attack = Attack(limits, crowd(32), never)
        await asyncio.sleep(0.1)

        waits = [await honest_call(limits) for _ in range(100)]

        assert max(waits) <= 1.0
        assert sum(waits) <= 5.0
        assert all("did not arrive within 0.5 s" in str(error) for error in attack.errors)
        await attack.close()

    in_virtual_time(scenario())


def test_a_slow_request_has_its_ten_seconds_while_no_other_client_waits() -> None:
    async def scenario() -> None:
        limits = CallLimits()
        attack = Attack(limits, crowd(5)[:1] * 2, never)  # twice what this client may have

        await asyncio.sleep(9.9)
        assert attack.errors == []
        waits = [await honest_call(limits) for _ in range(10)]
        await asyncio.sleep(0.2)

        assert waits == [0.0] * 10
        assert [str(error) for error in attack.errors] == [
            "the request did not arrive within 10 s"
        ] * 4
        await attack.close()

    in_virtual_time(scenario())


def test_a_large_request_waits_for_its_bytes_while_no_other_client_needs_the_place() -> None:
    async def scenario() -> None:
        limits = CallLimits(Limits(request_bytes=len(LARGE)))
        attack = Attack(limits, crowd(2), large)

        await asyncio.sleep(3600.0)

        assert (attack.answered, attack.errors) == (1, [])
        await attack.close()

    in_virtual_time(scenario())


def test_a_client_without_a_stream_gets_the_newest_of_the_client_with_most() -> None:
    async def scenario() -> None:
        limits = CallLimits(Limits(streams=4, streams_each=3))
        first, second = crowd(2)
        ended: list[str] = []

        async def watch(client: Client, name: str) -> None:
            try:
                async with limits.stream(client):
                    await asyncio.sleep(1e9)
            except TooManyCalls as error:
                ended.append(f"{name}: {error}")

        names = ["a", "b", "c"]
        tasks = [asyncio.ensure_future(watch(first, name)) for name in names]
        tasks.append(asyncio.ensure_future(watch(second, "d")))
        await asyncio.sleep(1)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(limits.stream(ANN))
            await asyncio.sleep(1)
            [why] = ended
            assert why.startswith("c: the server has given the place of this stream to a client")
            with pytest.raises(TooManyCalls, match="the server has 4 open streams"):
                await stack.enter_async_context(limits.stream(ANN))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    in_virtual_time(scenario())


def test_calls_whose_tokens_are_being_checked_are_limited_for_each_address_and_in_all() -> None:
    limits = CallLimits(Limits(waiting=3, waiting_each=2))

    with limits.unidentified("a"), limits.unidentified("a"):
        with pytest.raises(TooManyCalls, match="check of their tokens"), limits.unidentified("a"):
            pass
        with (
            limits.unidentified("b"),
            pytest.raises(TooManyCalls, match="check of their tokens"),
            limits.unidentified("c"),
        ):
            pass
    with limits.unidentified("a"):
        pass
