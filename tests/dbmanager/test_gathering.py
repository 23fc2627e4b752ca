"""Who waits at the same time shares a round, and nobody's fault is another's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from api.errors import Unavailable, UserError
from dbmanager.store.batcher import Gathering


class Work:
    """Rounds that wait until they may end; a request is refused where it is negative."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.may_end = asyncio.Event()
        self.away = False

    async def __call__(self, requests: Sequence[int]) -> Sequence[int]:
        self.rounds.append([*requests])
        await self.may_end.wait()
        if self.away:
            raise Unavailable("away")
        if min(requests) < 0:
            raise UserError("negative")
        return [request * 10 for request in requests]


@pytest.fixture
async def work() -> Work:
    return Work()


def gathering(work: Work, *, rounds: int = 1, weight: int = 100) -> Gathering[int, int]:
    return Gathering(work, rounds=rounds, requests=4, weight=weight)


async def asked(
    of: Gathering[int, int], *requests: int, weight: int = 1
) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(of.result(request, weight)) for request in requests]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_who_comes_during_a_round_shares_the_next(work: Work) -> None:
    of = gathering(work)
    tasks = await asked(of, 1)
    tasks += await asked(of, 2, 3)
    work.may_end.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30]
    assert work.rounds == [[1], [2, 3]]


async def test_a_round_takes_no_more_than_its_limits(work: Work) -> None:
    of = gathering(work, weight=10)
    work.may_end.set()
    await asyncio.gather(*await asked(of, *range(9)), *await asked(of, 100, 101, weight=10))
    assert max(map(len, work.rounds)) == 4
    assert [100] in work.rounds
    assert [101] in work.rounds


async def test_as_many_rounds_as_allowed_go_on_at_the_same_time(work: Work) -> None:
    of = gathering(work, rounds=2)
    tasks = await asked(of, 1)
    tasks += await asked(of, 2)
    tasks += await asked(of, 3)
    assert work.rounds == [[1], [2]]
    work.may_end.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30]


async def test_a_request_that_is_refused_fails_alone(work: Work) -> None:
    of = gathering(work)
    tasks = await asked(of, 1)
    tasks += await asked(of, 2, -3, 4)
    work.may_end.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [found[0], found[1], found[3]] == [10, 20, 40]
    assert isinstance(found[2], UserError)
    assert work.rounds == [[1], [2, -3, 4], [2], [-3], [4]]


async def test_where_the_database_is_away_nobody_is_tried_alone(work: Work) -> None:
    of = gathering(work)
    work.away = True
    tasks = await asked(of, 1)
    tasks += await asked(of, 2, 3)
    work.may_end.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(error, Unavailable) for error in found)
    assert work.rounds == [[1], [2, 3]]


async def test_who_is_cancelled_takes_nothing_back(work: Work) -> None:
    of = gathering(work)
    [task] = await asked(of, 1)
    task.cancel()
    [later] = await asked(of, 2)
    work.may_end.set()
    assert await later == 20
    assert work.rounds == [[1], [2]]
    assert task.cancelled()


async def test_finishing_waits_for_all_that_was_asked(work: Work) -> None:
    of = gathering(work)
    tasks = await asked(of, 1, 2)
    finishing = asyncio.create_task(of.finish())
    await asked(of, 3)
    assert not finishing.done()
    work.may_end.set()
    await finishing
    assert [task.result() for task in tasks] == [10, 20]
    await of.finish()
