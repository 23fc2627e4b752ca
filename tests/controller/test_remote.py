"""The store and the search by gRPC: real servers of ours, and Katib's manners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio
import pytest

from api.errors import RemoteError, Unavailable, UserError
from api.names import UNAVAILABLE
from api.types import (
    AlgorithmSpec,
    EarlyStoppingSpec,
    Experiment,
    Observation,
    ObservedMetric,
    Setting,
    Trial,
)
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from controller.over_grpc.calls import CHANNEL_OPTIONS
from controller.over_grpc.observations import RemoteObservations
from controller.over_grpc.suggestions import RemoteSuggestions, Services
from controller.reconcile.views import MetricSummary
from dbmanager.store.memory import MemoryStore
from tests.controller.worlds import World, experiment
from tests.dbmanager.databases import free_port
from tests.dbmanager.serving import Client, served
from tests.suggestion.serving import Rim, serving

T = "2026-01-02T03:04:0{}Z"
POINTS = (
    (T.format(1), "loss", "0.50"),
    (T.format(3), "loss", "nan"),
    (T.format(2), "loss", "0.40"),
    (T.format(2), "other", "7"),
)
SUMMARY = MetricSummary(name="loss", count=3, first="0.50", last="nan", min="0.40", max="0.50")


async def made(item: Experiment | None = None) -> tuple[Experiment, list[Trial]]:
    world = World(item or experiment())
    await world.settle()
    return world.experiment, world.trials


class KatibsManager(api_pb2_grpc.DBManagerServicer):
    """A DB manager that knows Katib's calls and no others; it gives rows in no order."""

    async def GetObservationLog(self, request: Any, _: object) -> Any:  # noqa: N802, ANN401
        found = [
            pb.MetricLog(time_stamp=stamp, metric=pb.Metric(name=name, value=value))
            for stamp, name, value in POINTS
            if name == request.metric_name
        ]
        log = pb.ObservationLog(metric_logs=found)
        return pb.GetObservationLogReply(observation_log=log)


class KatibsSearch(api_pb2_grpc.SuggestionServicer):
    """A search that names its trials and labels them, and has no validation."""

    def __init__(self) -> None:
        self.code: grpc.StatusCode | None = None
        self.requests: list[Any] = []

    async def ValidateAlgorithmSettings(self, _: Any, context: Any) -> Any:  # noqa: N802, ANN401
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")

    async def GetSuggestions(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401
        self.requests.append(request)
        if self.code is not None:
            await context.abort(self.code, "gamma is wrong")
        one = pb.GetSuggestionsReply.ParameterAssignments(
            assignments=[pb.ParameterAssignment(name="lr", value="0.1")],
            trial_name="exp-theirs",
            labels={"generation": "1"},
        )
        return pb.GetSuggestionsReply(parameter_assignments=[one])


@asynccontextmanager
async def channel_to(*servicers: object) -> AsyncIterator[grpc.aio.Channel]:
    """Serve Katib's manners on a free port of this machine."""
    server = grpc.aio.server()
    for servicer in servicers:
        if isinstance(servicer, KatibsManager):
            api_pb2_grpc.add_DBManagerServicer_to_server(servicer, server)
        else:
            api_pb2_grpc.add_SuggestionServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(
            f"127.0.0.1:{port}", options=CHANNEL_OPTIONS
        ) as channel:
            yield channel
    finally:
        await server.stop(None)


def channel_of(client: Client) -> grpc.aio.Channel:
    channel: grpc.aio.Channel = client.channel
    return channel


# -- the store ------------------------------------------------------------------------------


async def test_our_manager_summarizes_by_itself_and_for_the_trials_own_namespace() -> None:
    _, (trial, *_) = await made()
    async with served(MemoryStore()) as client:
        name = trial.metadata.name
        namespace = (("trialwatch-namespace", "ns"),)
        await client.report(name, *POINTS, metadata=namespace)
        await client.report(
            name, (T.format(1), "loss", "9"), metadata=(("trialwatch-namespace", "x"),)
        )
        store = RemoteObservations(channel_of(client))

        assert await store.summary(trial) == await store.latest(trial) == (SUMMARY,)

        await store.delete(trial)
        assert await store.summary(trial) == ()
        await store.report_unavailable(trial)
        (left,) = await store.summary(trial)
        assert (left.first, left.last, left.min) == (UNAVAILABLE, UNAVAILABLE, "")


async def test_katibs_manager_is_summarized_here() -> None:
    _, (trial, *_) = await made()
    async with channel_to(KatibsManager()) as channel:
        assert await RemoteObservations(channel).summary(trial) == (SUMMARY,)
        assert await RemoteObservations(channel).latest(trial) == (), "it would cost the whole log"


async def test_what_the_manager_refuses_is_a_refusal_and_no_fault_of_the_user() -> None:
    _, (trial, *_) = await made()
    nameless = replace(trial, metadata=replace(trial.metadata, name=""))
    async with served(MemoryStore()) as client:
        with pytest.raises(RemoteError, match=r"the DB manager refused: .*trial_name"):
            await RemoteObservations(channel_of(client)).summary(nameless)


async def test_a_manager_that_is_away_is_unavailable() -> None:
    _, (trial, *_) = await made()
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        with pytest.raises(Unavailable, match="the DB manager did not answer: UNAVAILABLE"):
            await RemoteObservations(channel).summary(trial)


# -- the search -----------------------------------------------------------------------------


async def test_our_service_answers_and_wants_to_be_reminded_of_its_seed() -> None:
    item, trials = await made()
    async with serving() as client:
        search = RemoteSuggestions(lambda _: Services(suggestion=client.channel))

        first = await search.ask(item, (), 0, 2)
        (setting,) = first.settings
        assert setting.name == "random_state"
        assert len({one.assignments for one in first.trials}) == 2

        algorithm = AlgorithmSpec(name="random", settings=first.settings)
        reminded = replace(item, spec=replace(item.spec, algorithm=algorithm))
        assert (await search.ask(reminded, (), 0, 2)).trials == first.trials
        third = await search.ask(reminded, trials, 2, 1)
        assert third.settings == ()
        assert third.trials[0].assignments not in {one.assignments for one in first.trials}


async def test_what_our_service_refuses_is_the_users_fault() -> None:
    algorithm = AlgorithmSpec(name="random", settings=(Setting(name="gamma", value="1"),))
    item, _ = await made(experiment(algorithm=algorithm))
    async with serving() as client:
        search = RemoteSuggestions(lambda _: Services(suggestion=client.channel))

        with pytest.raises(UserError, match="unknown setting gamma"):
            await search.ask(item, (), 0, 1)


async def test_stop_rules_come_with_the_answer() -> None:
    stopping = EarlyStoppingSpec(
        name="medianstop", settings=(Setting(name="min_trials_required", value="1"),)
    )
    item, _ = await made(experiment(early_stopping=stopping))
    world = World(item)
    world.memory.objects.apply(item)
    await world.settle()
    world.succeed(world.trials[0], "0.5")
    await world.settle(seconds=1)
    trials = world.trials
    rim = Rim(logs={f"ns/{trials[0].metadata.name}": ["0.5", "0.7"]})
    async with serving(rim) as client:
        services = Services(
            suggestion=client.channel, early_stopping=client.channel, db_manager="db:6789"
        )
        answer = await RemoteSuggestions(lambda _: services).ask(item, trials, 4, 1)

    (rule,) = answer.trials[0].stop_rules
    assert (rule.name, rule.value, rule.comparison.value) == ("loss", "0.6", "greater")


async def test_settings_of_early_stopping_are_refused_at_the_first_question() -> None:
    item, _ = await made(experiment(early_stopping=EarlyStoppingSpec(name="nope")))
    async with serving() as client:
        services = Services(suggestion=client.channel, early_stopping=client.channel)

        with pytest.raises(UserError, match="unknown algorithm name nope"):
            await RemoteSuggestions(lambda _: services).ask(item, (), 0, 1)


async def test_katibs_service_names_and_labels_its_trials_and_need_not_validate() -> None:
    item, trials = await made()
    metric = ObservedMetric(name="loss", min="0.1", max="0.9", latest="0.3")
    status = replace(trials[0].status, observation=Observation(metrics=(metric,)))
    trials[0] = replace(trials[0], status=status)
    katibs = KatibsSearch()
    async with channel_to(katibs) as channel:
        search = RemoteSuggestions(lambda _: Services(suggestion=channel))
        answer = await search.ask(item, trials, 0, 1)

    (one,) = answer.trials
    assert (one.name, dict(one.labels)) == ("exp-theirs", {"generation": "1"})
    (request,) = katibs.requests
    assert (request.current_request_number, request.total_request_number) == (1, 1)
    assert [trial.name for trial in request.trials] == [t.metadata.name for t in trials]
    assert request.trials[0].status.observation.metrics[0].value == "0.1", "by its strategy"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, UserError),
        (grpc.StatusCode.UNAVAILABLE, Unavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Unavailable),
        (grpc.StatusCode.INTERNAL, RemoteError),
        (grpc.StatusCode.UNKNOWN, RemoteError),
        (grpc.StatusCode.UNIMPLEMENTED, RemoteError),
    ],
)
async def test_each_refusal_of_a_search_says_who_must_act(
    code: grpc.StatusCode, error: type[Exception]
) -> None:
    item, trials = await made()
    katibs = KatibsSearch()
    katibs.code = code
    async with channel_to(katibs) as channel:
        with pytest.raises(error, match="gamma is wrong"):
            await RemoteSuggestions(lambda _: Services(suggestion=channel)).ask(item, trials, 2, 1)


async def test_more_points_than_were_asked_for_are_no_answer_of_katibs() -> None:
    item, trials = await made()
    katibs = KatibsSearch()
    async with channel_to(katibs) as channel:
        services = Services(suggestion=channel, katibs=True, address="theirs:1")
        with pytest.raises(RemoteError, match=r"unexpected trials: .*theirs:1 gave 1 where 0"):
            await RemoteSuggestions(lambda _: services).ask(item, trials, 2, 0)


@pytest.mark.parametrize(("katibs", "final"), [(True, False), (False, True)])
async def test_fewer_points_are_the_end_of_our_search_and_not_of_katibs(
    katibs: bool,  # noqa: FBT001 - a parameter of the test
    final: bool,  # noqa: FBT001
) -> None:
    item, trials = await made()
    async with channel_to(KatibsSearch()) as channel:
        services = Services(suggestion=channel, katibs=katibs)
        answer = await RemoteSuggestions(lambda _: services).ask(item, trials, 2, 3)

    assert (len(answer.trials), answer.final) == (1, final)


async def test_a_service_that_comes_back_in_time_is_just_asked() -> None:
    item, trials = await made()
    port = free_port()

    async def back() -> grpc.aio.Server:
        await asyncio.sleep(0.3)
        again = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        api_pb2_grpc.add_SuggestionServicer_to_server(KatibsSearch(), again)
        again.add_insecure_port(f"127.0.0.1:{port}")
        await again.start()
        return again

    starting = asyncio.create_task(back())
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS) as channel:
        services = Services(suggestion=channel)
        answer = await RemoteSuggestions(lambda _: services).ask(item, trials, 2, 1)
    await (await starting).stop(None)

    assert len(answer.trials) == 1


async def test_a_service_that_stays_away_is_unavailable_and_says_why() -> None:
    item, trials = await made()
    async with grpc.aio.insecure_channel("127.0.0.1:1", options=CHANNEL_OPTIONS) as channel:
        search = RemoteSuggestions(lambda _: Services(suggestion=channel), patience=0.2)
        with pytest.raises(Unavailable, match=r"suggestion service did not answer: UNAVAILABLE"):
            await search.ask(item, trials, 2, 1)
