"""The values of a trial by gRPC, as the judge follows them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import grpc.aio
import pytest

from api.errors import RemoteError, Unavailable
from api.types import Trial
from controller.over_grpc.calls import UnimplementedCallError
from controller.over_grpc.trial_points import RemoteTrialPoints
from dbmanager.service.observations import PAGE
from dbmanager.store.contract import AttemptOutcome, Delivery, NewRow, TrialKey
from dbmanager.store.memory import MemoryStore
from serving.call_limits import Limits
from serving.error_interceptor import Guards
from stopping.curves import Point
from tests.controller.over_grpc.katib_servers import KatibDbManager, channel_to, created
from tests.controller.over_grpc.test_observations import channel_of
from tests.dbmanager.dbmanager_server import served

SECOND = 1_000_000


async def one_trial() -> tuple[Trial, TrialKey]:
    _, (trial, *_) = await created()
    return trial, TrialKey(namespace="ns", trial=trial.metadata.name)


async def test_a_stream_has_the_stored_points_and_then_the_new_ones() -> None:
    trial, key = await one_trial()
    store = MemoryStore()
    async with served(store, poll=0.02) as client:
        await store.report(key, [NewRow(SECOND, "loss", "0.5", 1), NewRow(SECOND, "other", "7")])
        points = RemoteTrialPoints(channel_of(client))
        async with asyncio.timeout(30), aclosing(points.watch(trial, ("loss",))) as stream:
            assert await anext(stream) == [("loss", Point("0.5", 1, SECOND))]
            await store.report(key, [NewRow(2 * SECOND, "loss", "0.4")])
            assert await anext(stream) == [("loss", Point("0.4", None, 2 * SECOND))]


async def test_all_pages_are_read_and_only_the_points_that_count() -> None:
    trial, key = await one_trial()
    store = MemoryStore()
    rows = [NewRow(i * SECOND, "loss", str(i), i) for i in range(PAGE + 3)]
    async with served(store) as client:
        failed = Delivery(source="a", sequence=1, outcome=AttemptOutcome.FAILED)
        await store.report(key, [NewRow(0, "loss", "99", 0)], failed)
        await store.report(key, rows, Delivery(source="b", sequence=1))

        found = await RemoteTrialPoints(channel_of(client)).read(trial, ("loss", "absent"))

    assert [one.point.step for one in found] == list(range(PAGE + 3))


async def test_katibs_manager_has_no_stream_and_one_that_is_away_answers_nothing() -> None:
    trial, _ = await one_trial()
    async with channel_to(KatibDbManager()) as channel:
        with pytest.raises(UnimplementedCallError):
            await anext(RemoteTrialPoints(channel).watch(trial, ("loss",)))
        with pytest.raises(RemoteError):
            await RemoteTrialPoints(channel).read(trial, ("loss",))
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        with pytest.raises(Unavailable, match="the DB manager did not answer: UNAVAILABLE"):
            await anext(RemoteTrialPoints(channel).watch(trial, ("loss",)))


async def test_a_trial_without_a_stream_is_read_from_time_to_time() -> None:
    _, (first, second, *_) = await created()
    keys = [TrialKey(namespace="ns", trial=one.metadata.name) for one in (first, second)]
    store = MemoryStore()
    guards = Guards(limits=Limits(streams_each=1))
    async with served(store, poll=0.02, guards=guards) as client:
        for key in keys:
            await store.report(key, [NewRow(SECOND, "loss", "0.5", 1), NewRow(SECOND, "x", "7")])
        points = RemoteTrialPoints(channel_of(client), poll=0.02)
        async with (
            asyncio.timeout(30),
            aclosing(points.watch(first, ("loss",))) as stream,
            aclosing(points.watch(second, ("loss", "x"))) as polled,
        ):
            await anext(stream)
            both = [("loss", Point("0.5", 1, SECOND)), ("x", Point("7", None, SECOND))]
            assert await anext(polled) == both
            await store.report(keys[1], [NewRow(2 * SECOND, "loss", "0.4", 2)])
            assert await anext(polled) == [("loss", Point("0.4", 2, 2 * SECOND))]

            await store.delete(keys[1])
            with pytest.raises(Unavailable, match="was started again"):
                await anext(polled)
