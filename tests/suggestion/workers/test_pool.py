"""Which call has a worker, and how a call ends; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from suggestion.service.metrics import Metrics
from suggestion.service.searches import Job, QueueFullError, SearchTimeoutError
from suggestion.workers.fair_queue import QueueBounds
from suggestion.workers.pool import SearchPool
from tests.suggestion.workers.scripted_worker import Diary, ScriptedWorker, job
from tests.virtual_time import in_virtual_time

LIMIT = 100.0


class Pool:
    """A pool over scripted workers."""

    def __init__(self, workers: int = 2, bounds: QueueBounds | None = None) -> None:
        self.diary, self.metrics = Diary(), Metrics()
        scripted = [ScriptedWorker(self.diary) for _ in range(workers)]
        self.pool = SearchPool(scripted, self.metrics, seconds=LIMIT, bounds=bounds)

    def ask(self, job: Job, seconds: float | None = None) -> asyncio.Task[bytes]:
        return asyncio.create_task(self.pool.run(job, seconds))

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"trialwatch_suggestion_{name}", labels)


async def ends(tasks: Sequence[asyncio.Task[bytes]]) -> list[bytes | BaseException]:
    return list(await asyncio.gather(*tasks, return_exceptions=True))


def test_a_namespace_with_many_long_searches_does_not_delay_others() -> None:
    pool = Pool()

    async def attack() -> None:
        hostile = [pool.ask(job("mallory", f"m{i}", 90)) for i in range(50)]
        await asyncio.sleep(1)
        honest = [pool.ask(job(name, f"{name}{i}", 1)) for i in range(3) for name in ("ann", "bob")]
        await ends(honest)
        assert pool.diary.ended == ["ann0", "bob0", "ann1", "bob1", "ann2", "bob2"]
        assert pool.diary.begun[0] == "m0"
        assert len(pool.diary.begun) == 7
        for task in hostile:
            task.cancel()
        await ends(hostile)

    in_virtual_time(attack())
    assert pool.diary.most_running == {"mallory": 1, "ann": 1, "bob": 1}


def test_when_each_worker_has_a_long_search_the_others_wait_until_these_are_stopped() -> None:
    pool = Pool()

    async def attack() -> None:
        hostile = [pool.ask(job(name, f"{name}{i}", 1e6)) for i in range(9) for name in ("m", "n")]
        await asyncio.sleep(1)
        assert await pool.ask(job("ann", "honest", 1)) == b"reply to honest"
        assert pool.diary.killed[0] == "m0"
        assert pool.diary.begun[:3] == ["m0", "n0", "honest"]
        for task in hostile:
            task.cancel()
        await ends(hostile)

    in_virtual_time(attack())


def test_a_search_beyond_the_limit_is_killed_and_the_message_says_whose_it_was() -> None:
    pool = Pool(1)

    async def attack() -> None:
        hostile, honest = pool.ask(job("red", "digits", 1e6)), pool.ask(job("blue", "b", 1))
        with pytest.raises(SearchTimeoutError) as stopped:
            await hostile
        assert str(stopped.value) == (
            "experiment digits of namespace red: the search tpe for 2000 points after 7 trials did"
            " not end within 100 s (--search-timeout) and was stopped; ask for fewer points at a"
            " time (spec.parallelTrialCount), write smaller settings, or take a faster algorithm"
        )
        assert await honest == b"reply to b"

    in_virtual_time(attack())
    assert pool.diary.killed == ["digits"]
    assert pool.value("searches_killed_total", reason="deadline") == 1


def test_a_search_ends_at_the_deadline_of_its_call() -> None:
    pool = Pool(1)

    async def attack() -> None:
        with pytest.raises(SearchTimeoutError, match="not end within the call's deadline and was"):
            await pool.ask(job("red", "digits", 50), 10)
        assert asyncio.get_running_loop().time() == pytest.approx(1010)

    in_virtual_time(attack())
    assert pool.diary.killed == ["digits"]


def test_a_call_that_waits_until_its_deadline_is_dropped_without_a_worker() -> None:
    pool = Pool(1)

    async def attack() -> None:
        first, second = pool.ask(job("red", "r", 50)), pool.ask(job("blue", "b", 1), 10)
        with pytest.raises(SearchTimeoutError, match=r"^a call of namespace blue waited for a"):
            await second
        await first

    in_virtual_time(attack())
    assert pool.diary.begun == ["r"]
    assert pool.value("calls_dropped_total", reason="deadline") == 1
    assert pool.value("calls_waiting") == 0


def test_a_call_without_a_deadline_waits_five_minutes_at_most() -> None:
    pool = Pool(1)

    async def attack() -> None:
        endless = [pool.ask(job(f"n{i}", f"n{i}", 1e6)) for i in range(5)]
        answers = await ends(endless)
        assert all(isinstance(answer, SearchTimeoutError) for answer in answers)
        assert asyncio.get_running_loop().time() <= 1300 + 1e-3

    in_virtual_time(attack())
    assert pool.diary.begun == ["n0", "n1", "n2"]


def test_a_caller_that_goes_away_frees_its_place_and_its_worker() -> None:
    pool = Pool(1)

    async def attack() -> None:
        running, waiting = pool.ask(job("red", "r", 1e6)), pool.ask(job("red", "r2", 1))
        other = pool.ask(job("blue", "b", 1))
        await asyncio.sleep(1)
        assert (pool.value("calls_running"), pool.value("calls_waiting")) == (1, 2)
        waiting.cancel()
        running.cancel()
        assert await other == b"reply to b"

    in_virtual_time(attack())
    assert (pool.diary.begun, pool.diary.killed) == (["r", "b"], ["r"])
    assert pool.pool.abandoned == 1
    assert pool.value("calls_dropped_total", reason="abandoned") == 1
    assert pool.value("searches_killed_total", reason="abandoned") == 1
    assert (pool.value("calls_running"), pool.value("calls_waiting")) == (0, 0)


def test_a_caller_that_goes_away_as_it_gets_a_worker_gives_it_back() -> None:
    pool = Pool(1)

    async def attack() -> None:
        running, waiting = pool.ask(job("red", "r", 1)), pool.ask(job("blue", "b", 1))
        await asyncio.sleep(0)
        await asyncio.sleep(1)  # the first call has ended; the second has not noticed its worker
        assert running.done()
        assert (pool.value("calls_running"), pool.diary.begun) == (1, ["r"])
        waiting.cancel()
        await ends([running, waiting])
        assert await pool.ask(job("blue", "again", 1)) == b"reply to again"

    in_virtual_time(attack())
    assert pool.diary.begun == ["r", "again"]


def test_a_worker_passes_over_a_caller_that_goes_away_at_the_same_moment() -> None:
    pool = Pool(1)

    async def attack() -> None:
        running, waiting = pool.ask(job("red", "r", 9)), pool.ask(job("blue", "b", 1))
        other = pool.ask(job("green", "g", 1))
        await asyncio.sleep(1)
        running.cancel()
        waiting.cancel()
        assert await other == b"reply to g"
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await ends([running, waiting])
        )

    in_virtual_time(attack())
    assert pool.diary.begun == ["r", "g"]


def test_a_full_queue_refuses_one_namespace_and_serves_another() -> None:
    pool = Pool(1, QueueBounds(namespace_calls=2))

    async def attack() -> None:
        hostile = [pool.ask(job("red", f"r{i}", 1)) for i in range(10)]
        honest = pool.ask(job("blue", "b", 1))
        answers = await ends(hostile)
        assert [isinstance(answer, QueueFullError) for answer in answers] == [False] * 3 + [
            True
        ] * 7
        assert await honest == b"reply to b"

    in_virtual_time(attack())
    assert pool.diary.ended == ["r0", "b", "r1", "r2"]
    assert pool.value("calls_dropped_total", reason="queue_full") == 7


def test_the_worker_that_was_used_last_is_used_first() -> None:
    """One warm worker serves a service with little to do; the other is never started."""
    used: list[int] = []

    class Noted(ScriptedWorker):
        async def run(self, *args: object) -> bytes:
            used.append(id(self))
            return await super().run(*args)  # type: ignore[arg-type]

    workers = [Noted(Diary()) for _ in range(3)]
    pool = SearchPool(workers, Metrics(), seconds=LIMIT)

    async def calls() -> None:
        for number in range(5):
            await pool.run(job("red", f"r{number}"), None)

    in_virtual_time(calls())
    assert len(set(used)) == 1
