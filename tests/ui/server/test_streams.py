"""The live streams: what comes when, and that nothing is missed or repeated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from api.types import ConditionType
from tests.contracts.pages_source import FIRST, KEY, PATIENCE, SECOND, of_team, points, two_trials
from tests.polling import eventually
from tests.trialwatch.view.watched_experiment import trial
from tests.ui.server.pages_client import EXPERIMENT, opened, with_experiment
from ui.sources.port import StoredExperiment
from ui.testing.memory_source import MemorySource


class Events:
    """The events of a stream, one after the other."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.last_id = ""

    async def next(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return the data of the next event of this name; others are left out."""
        async with asyncio.timeout(PATIENCE):
            while True:
                fields = await self._block()
                self.last_id = fields.get("id", self.last_id)
                if fields.get("event") == name:
                    return json.loads(fields["data"])

    async def _block(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while line := (await self._answer.content.readline()).decode().rstrip("\n"):
            key, _, value = line.partition(": ")
            fields[key] = value
        assert fields, "the stream has ended"
        return fields


@asynccontextmanager
async def stream(source: MemorySource, path: str, last_id: str = "") -> AsyncIterator[Events]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with opened(source) as client, client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        yield Events(answer)


async def test_a_new_experiment_comes_to_the_table() -> None:
    source = await with_experiment()
    async with stream(source, "/api/v1/stream") as events:
        await events.next("hello")
        await source.put(StoredExperiment(experiment=of_team((), "other"), trials=()))
        listed = await events.next("list")

    assert {row["name"] for row in listed["experiments"]} == {"random", "other"}


async def test_only_the_changed_trials_come() -> None:
    source = await with_experiment()
    async with stream(source, f"{EXPERIMENT}/stream") as events:
        await events.next("hello")
        trials = (two_trials()[0], trial(2, value="0.95"), trial(3, ConditionType.RUNNING))
        await source.put(StoredExperiment(experiment=of_team(trials), trials=trials))
        change = await events.next("state")

    assert change["trials"]["name"] == [SECOND, "random-0003"]
    assert change["trials"]["number"] == [2, 3]
    assert change["total"] == 3


async def test_the_points_of_running_trials_come_behind_those_that_the_page_reads() -> None:
    source = await with_experiment()
    await source.report(KEY, SECOND, points("5", "4"))
    await source.report(KEY, FIRST, points("1"))
    async with stream(source, f"{EXPERIMENT}/stream?points=1") as events:
        await events.next("hello")
        await source.report(KEY, SECOND, points("3", "nan", start=7))
        (live,) = await events.next("points")

    assert (live["trial"], live["metric"], live["first"]) == (SECOND, "loss", 2)
    assert (live["times"], live["values"]) == ([7.0, 8.0], [3.0, None])


async def test_a_stream_continues_where_it_was_broken_off() -> None:
    source = await with_experiment()
    async with stream(source, f"{EXPERIMENT}/stream?points=1") as events:
        await events.next("hello")
        await source.report(KEY, SECOND, points("5", "4"))
        await events.next("points")
    await source.report(KEY, SECOND, points("3", start=7))

    async with stream(source, f"{EXPERIMENT}/stream?points=1", events.last_id) as again:
        (live,) = await again.next("points")

    assert (live["first"], live["values"]) == (2, [3.0])


async def test_the_id_of_hello_alone_loses_no_point() -> None:
    source = await with_experiment()
    await source.report(KEY, SECOND, points("5", "4"))
    async with stream(source, f"{EXPERIMENT}/stream?points=1") as events:
        await events.next("hello")
        await source.report(KEY, SECOND, points("3", start=7))

    async with stream(source, f"{EXPERIMENT}/stream?points=1", events.last_id) as again:
        (live,) = await again.next("points")

    assert (live["first"], live["values"]) == (2, [3.0])


async def test_the_id_of_a_metric_in_any_script_can_be_sent_back() -> None:
    source = await with_experiment()
    async with stream(source, f"{EXPERIMENT}/stream?points=1") as events:
        await events.next("hello")
        await source.report(KEY, SECOND, points("5", metric="精度"))
        await events.next("points")
    await source.report(KEY, SECOND, points("3", metric="精度", start=7))

    assert events.last_id.isascii(), "a browser refuses a header with other characters"
    async with stream(source, f"{EXPERIMENT}/stream?points=1", events.last_id) as again:
        (live,) = await again.next("points")

    assert (live["metric"], live["first"], live["values"]) == ("精度", 1, [3.0])


async def test_a_token_of_another_store_begins_at_the_first_point() -> None:
    source = await with_experiment()
    await source.report(KEY, SECOND, points("5", "4"))
    last_id = json.dumps({SECOND: {"token": "of-another-store", "counts": {"loss": 9}}})

    async with stream(source, f"{EXPERIMENT}/stream?points=1", last_id) as events:
        (live,) = await events.next("points")

    assert (live["first"], live["values"]) == (0, [5.0, 4.0])


async def test_a_trial_that_begins_later_comes_from_its_first_point() -> None:
    source = await with_experiment()
    async with stream(source, f"{EXPERIMENT}/stream?points=1") as events:
        await events.next("hello")
        trials = (*two_trials(), trial(3, ConditionType.RUNNING))
        await source.put(StoredExperiment(experiment=of_team(trials), trials=trials))
        await source.report(KEY, "random-0003", points("9", "8"))
        (live,) = await events.next("points")

    assert (live["trial"], live["first"], live["values"]) == ("random-0003", 0, [9.0, 8.0])


async def test_without_points_none_come() -> None:
    source = await with_experiment()
    async with stream(source, f"{EXPERIMENT}/stream") as events:
        await events.next("hello")
        await source.report(KEY, SECOND, points("5"))
        trials = two_trials("0.7")
        await source.put(StoredExperiment(experiment=of_team(trials), trials=trials))

        await events.next("state")
        assert events.last_id == ""


async def test_a_store_that_fails_is_reported_and_then_continued() -> None:
    source = await with_experiment()
    async with stream(source, f"{EXPERIMENT}/stream?points=1") as events:
        await events.next("hello")
        source.unavailable = "the database is being restarted"
        await source.report(KEY, SECOND, points("5"))
        trouble = await events.next("trouble")
        source.unavailable = ""
        (live,) = await events.next("points")

    assert trouble == {"error": "the database is being restarted"}
    assert (live["first"], live["values"]) == (0, [5.0])


async def test_a_deleted_experiment_ends_its_stream() -> None:
    source = await with_experiment()
    async with stream(source, f"{EXPERIMENT}/stream") as events:
        await events.next("hello")
        await source.remove(KEY)
        gone = await events.next("gone")

    assert "there is no experiment random" in gone["error"]


@pytest.mark.parametrize("last_id", ["x", "[]", '{"a": 1}', "{" + "a" * 70_000])
async def test_an_id_that_this_server_does_not_write_is_refused(last_id: str) -> None:
    async with opened(await with_experiment()) as client:
        headers = {"Last-Event-ID": last_id[:8000]}
        async with client.get(f"{EXPERIMENT}/stream", headers=headers) as answer:
            assert answer.status == 400
            assert "start without it" in (await answer.json())["error"]


async def test_a_browser_that_leaves_takes_its_tasks_with_it() -> None:
    source = await with_experiment()
    before = len(asyncio.all_tasks())
    async with stream(source, f"{EXPERIMENT}/stream?points=1") as events:
        await events.next("hello")

    await eventually(lambda: len(asyncio.all_tasks()) <= before)
