"""Which call is next when many clients want what a server has too little of."""

from __future__ import annotations

import asyncio

import pytest

from serving.fair_budget import Client, FairBudget, Queues, TooManyCalls

MALLORYS = [Client(f"10.0.1.{number}", "namespace mallory") for number in range(50)]
ANN, BOB = Client("10.0.0.1", "namespace ann"), Client("10.0.0.2", "namespace bob")


class Calls:
    """Calls that want an amount, and the order in which they got it."""

    def __init__(self, budget: FairBudget) -> None:
        self.budget = budget
        self.order: list[Client] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def wait(self, client: Client, amount: int = 1) -> None:
        """Begin to wait."""

        async def take() -> None:
            await self.budget.take(amount, client)
            self.order.append(client)

        self.tasks.append(asyncio.create_task(take()))
        await asyncio.sleep(0)

    async def give(self, client: Client, amount: int = 1) -> list[Client]:
        """Give an amount back; return the clients that got some of it."""
        before = len(self.order)
        self.budget.give(amount, client)
        await _settled()
        return self.order[before:]

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_honest_call_is_next_before_all_calls_of_a_namespace_with_fifty_pods() -> None:
    calls = Calls(FairBudget(2))
    for mallory in MALLORYS:
        await calls.wait(mallory)
    await calls.wait(ANN)

    assert calls.order == MALLORYS[:2]
    assert await calls.give(MALLORYS[0]) == [ANN]
    await calls.close()


async def test_shares_take_turns() -> None:
    calls = Calls(FairBudget(1))
    await calls.wait(MALLORYS[0])
    for client in (MALLORYS[1], MALLORYS[2], ANN, BOB):
        await calls.wait(client)

    served = [MALLORYS[0]]
    for _ in range(4):
        served += await calls.give(served[-1])
    assert served == [MALLORYS[0], MALLORYS[1], MALLORYS[2], ANN, BOB], "all have as much: in order"
    await calls.close()


async def test_the_pod_that_has_least_of_its_namespace_is_next() -> None:
    calls = Calls(FairBudget(3))
    for mallory in (0, 0, 1):
        await calls.wait(MALLORYS[mallory])
    for mallory in (0, 1, 2):
        await calls.wait(MALLORYS[mallory])

    assert await calls.give(MALLORYS[0]) == [MALLORYS[2]]
    await calls.close()


async def test_a_small_call_of_a_client_with_nothing_goes_before_large_ones_that_do_not_fit() -> (
    None
):
    calls = Calls(FairBudget(10))
    await calls.wait(MALLORYS[0], 8)
    await calls.wait(MALLORYS[0], 8)
    await calls.wait(ANN, 1)

    assert calls.order == [MALLORYS[0], ANN]
    await calls.close()


async def test_small_calls_do_not_overtake_a_large_one_of_a_client_with_as_much() -> None:
    calls = Calls(FairBudget(10))
    await calls.wait(MALLORYS[0], 8)
    await calls.wait(ANN, 8)
    await calls.wait(BOB, 1)

    assert calls.order == [MALLORYS[0]]
    assert await calls.give(MALLORYS[0], 8) == [ANN, BOB]
    await calls.close()


async def test_a_client_at_its_own_limit_keeps_nobody_out() -> None:
    calls = Calls(FairBudget(10, each=2))
    for _ in range(5):
        await calls.wait(MALLORYS[0])
    await calls.wait(ANN)

    assert calls.order == [MALLORYS[0], MALLORYS[0], ANN]
    assert not calls.budget.others_wait(BOB)
    await calls.close()


async def test_a_wish_that_is_larger_than_all_gets_all() -> None:
    budget = FairBudget(10)

    assert await budget.take(25, ANN) == 10
    budget.give(10, ANN)
    assert budget.left == 10


async def test_what_is_remembered_counts_until_its_time_is_over() -> None:
    calls = Calls(FairBudget(1))
    await calls.wait(MALLORYS[0])
    await calls.wait(MALLORYS[1])
    await calls.wait(ANN)

    calls.budget.give_but_remember(1, MALLORYS[0], seconds=0.05)
    await _settled()
    assert calls.order == [MALLORYS[0], ANN]
    await asyncio.sleep(0.1)
    await calls.wait(BOB)
    assert await calls.give(ANN) == [MALLORYS[1]], "it has waited longest"
    await calls.close()


async def test_a_cancelled_call_leaves_the_queue_and_gives_back_what_it_got() -> None:
    calls = Calls(FairBudget(1))
    await calls.wait(MALLORYS[0])
    await calls.wait(MALLORYS[1])
    await calls.wait(ANN)
    _, waiting, served = calls.tasks
    waiting.cancel()
    calls.budget.give(1, MALLORYS[0])  # it goes to ANN, whose task is cancelled before it runs
    served.cancel()
    await _settled()

    assert calls.budget.left == 1
    await calls.wait(BOB)
    assert calls.order == [MALLORYS[0], BOB]
    await calls.close()


async def test_when_too_many_wait_the_newest_of_the_share_with_most_is_refused() -> None:
    calls = Calls(FairBudget(1, queues=Queues(most=4, each=3)))
    await calls.wait(MALLORYS[0])
    for client in (*MALLORYS[1:5], ANN):
        await calls.wait(client)
    await _settled()

    *_, refused, honest = calls.tasks
    assert not honest.done()
    with pytest.raises(TooManyCalls, match="the server has 4 calls that wait"):
        refused.result()
    with pytest.raises(TooManyCalls, match="the server has 4 calls that wait"):
        await calls.budget.take(1, MALLORYS[5])
    assert await calls.give(MALLORYS[0]) == [MALLORYS[1]], "it has waited longest"
    await calls.close()


async def test_one_address_cannot_fill_the_queue() -> None:
    calls = Calls(FairBudget(1, queues=Queues(most=100, each=3)))
    for _ in range(4):
        await calls.wait(MALLORYS[0])

    with pytest.raises(TooManyCalls, match="this client has 3 calls that wait"):
        await calls.budget.take(1, MALLORYS[0])
    await calls.close()
