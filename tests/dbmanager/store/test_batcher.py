"""Requests that wait at the same time share a transaction, and each fails for its own fault only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from api.errors import Unavailable, UserError
from dbmanager.store.batcher import Batcher, Limits

LARGE = 100
"""Rows of a large request."""


class Commits:
    """Transactions that wait until they may end; a negative request is refused."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_end = asyncio.Event()
        self.database_is_away = False

    async def __call__(self, requests: Sequence[int]) -> Sequence[int]:
        self.batches.append([*requests])
        await self.may_end.wait()
        if self.database_is_away:
            raise Unavailable("away")
        if min(requests) < 0:
            raise UserError("negative")
        return [request * 10 for request in requests]


@pytest.fixture
async def commits() -> Commits:
    return Commits()


@pytest.fixture
async def batcher(commits: Commits) -> Batcher[int, int]:
    return Batcher(commits, Limits(requests=4, rows=LARGE, large=2))


async def submitted(
    batcher: Batcher[int, int], *requests: int, rows: int = 1
) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(batcher.result(request, rows)) for request in requests]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_requests_that_come_during_a_transaction_share_the_next(
    batcher: Batcher[int, int], commits: Commits
) -> None:
    tasks = await submitted(batcher, 1)
    tasks += await submitted(batcher, 2, 3)
    commits.may_end.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30]
    assert commits.batches == [[1], [2, 3]]


async def test_a_transaction_takes_no_more_than_its_limits(
    batcher: Batcher[int, int], commits: Commits
) -> None:
    tasks = await submitted(batcher, *range(9))
    tasks += await submitted(batcher, 11, 12, 13, 14, rows=LARGE - 1)
    commits.may_end.set()
    await asyncio.gather(*tasks)
    assert commits.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 11], [12, 13], [14]]


async def test_a_large_request_waits_for_no_small_one_and_is_committed_alone(
    batcher: Batcher[int, int], commits: Commits
) -> None:
    tasks = await submitted(batcher, 1)
    tasks += await submitted(batcher, 2)
    tasks += await submitted(batcher, 101, 102, 103, rows=LARGE)
    assert commits.batches == [[1], [101], [102]], "as many large ones at once as the limit allows"
    commits.may_end.set()
    assert await asyncio.gather(*tasks) == [10, 20, 1010, 1020, 1030]
    assert sorted(commits.batches) == [[1], [2], [101], [102], [103]]


async def test_a_request_that_is_refused_fails_alone(
    batcher: Batcher[int, int], commits: Commits
) -> None:
    tasks = await submitted(batcher, 1)
    tasks += await submitted(batcher, 2, -3, 4)
    commits.may_end.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [results[0], results[1], results[3]] == [10, 20, 40]
    assert isinstance(results[2], UserError)
    assert commits.batches == [[1], [2, -3, 4], [2], [-3], [4]]


async def test_if_the_database_is_unavailable_all_fail_without_another_try(
    batcher: Batcher[int, int], commits: Commits
) -> None:
    commits.database_is_away = True
    tasks = await submitted(batcher, 1)
    tasks += await submitted(batcher, 2, 3)
    commits.may_end.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(error, Unavailable) for error in results)
    assert commits.batches == [[1], [2, 3]]


async def test_cancelling_the_caller_does_not_cancel_the_request(
    batcher: Batcher[int, int], commits: Commits
) -> None:
    [cancelled] = await submitted(batcher, 1)
    cancelled.cancel()
    [later] = await submitted(batcher, 2)
    commits.may_end.set()
    assert await later == 20
    assert commits.batches == [[1], [2]]
    assert cancelled.cancelled()


async def test_finishing_waits_for_every_request(
    batcher: Batcher[int, int], commits: Commits
) -> None:
    tasks = await submitted(batcher, 1, 2)
    tasks += await submitted(batcher, 101, rows=LARGE)
    finishing = asyncio.create_task(batcher.finish())
    tasks += await submitted(batcher, 3)
    assert not finishing.done()
    commits.may_end.set()
    await finishing
    assert [task.result() for task in tasks] == [10, 20, 1010, 30]
    await batcher.finish()
