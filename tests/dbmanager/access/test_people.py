"""The API server is asked about a person once in ten seconds."""

from __future__ import annotations

import asyncio

import pytest

from api.errors import Unavailable
from dbmanager.access.people import CACHE_SECONDS, CachedPeople


class ApiServer:
    """Counts its questions."""

    def __init__(self) -> None:
        self.allowed = {("token", "team-a")}
        self.questions = self.at_once = self.most_at_once = 0
        self.seconds = 0.0
        self.away = False

    async def may_read(self, token: str, namespace: str) -> bool:
        self.questions += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.away:
            raise Unavailable("no answer")
        return (token, namespace) in self.allowed


async def test_an_answer_counts_for_ten_seconds_and_not_longer() -> None:
    server = ApiServer()
    people = CachedPeople(server, lambda: server.seconds)
    for _ in range(5):
        assert await people.may_read("token", "team-a")
        assert not await people.may_read("token", "team-b")
    assert server.questions == 2

    server.allowed.clear()
    server.seconds = CACHE_SECONDS
    assert not await people.may_read("token", "team-a")


async def test_wrong_tokens_cause_few_questions_at_a_time() -> None:
    server = ApiServer()
    people = CachedPeople(server, lambda: server.seconds)

    answers = [people.may_read(f"wrong-{number}", "team-a") for number in range(3000)]
    assert not any(await asyncio.gather(*answers))

    assert server.most_at_once == 10
    assert await people.may_read("token", "team-a")


async def test_no_answer_is_not_kept() -> None:
    server = ApiServer()
    people = CachedPeople(server, lambda: server.seconds)
    server.away = True
    with pytest.raises(Unavailable):
        await people.may_read("token", "team-a")

    server.away = False
    assert await people.may_read("token", "team-a")
