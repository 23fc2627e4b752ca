"""Search and early stopping by gRPC: our service, and Katib's."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import grpc
import grpc.aio
import pytest

from api.errors import RemoteError, Unavailable, UserError
from api.types import (
    AlgorithmSpec,
    EarlyStoppingSpec,
    Observation,
    ObservedMetric,
    Setting,
)
from api.v1beta1 import api_pb2_grpc
from controller.over_grpc.calls import CHANNEL_OPTIONS
from controller.over_grpc.suggestions import RemoteSuggestions, SearchTargets
from tests.controller.experiment_harness import ExperimentHarness, experiment
from tests.controller.over_grpc.katib_servers import NamingSearch, channel_to, created
from tests.dbmanager.database_servers import free_port
from tests.suggestion.suggestion_server import Rim, serving


async def test_our_service_answers_and_wants_to_be_reminded_of_its_seed() -> None:
    item, trials = await created()
    async with serving() as client:
        search = RemoteSuggestions(lambda _: SearchTargets(suggestion=client.channel))

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
    item, _ = await created(experiment(algorithm=algorithm))
    async with serving() as client:
        search = RemoteSuggestions(lambda _: SearchTargets(suggestion=client.channel))

        with pytest.raises(UserError, match="unknown setting gamma"):
            await search.ask(item, (), 0, 1)


async def test_stop_rules_come_with_the_answer() -> None:
    stopping = EarlyStoppingSpec(
        name="medianstop", settings=(Setting(name="min_trials_required", value="1"),)
    )
    item, _ = await created(experiment(early_stopping=stopping))
    harness = ExperimentHarness(item)
    harness.memory.objects.apply(item)
    await harness.settle()
    harness.succeed(harness.trials[0], "0.5")
    await harness.settle(seconds=1)
    trials = harness.trials
    rim = Rim(logs={f"ns/{trials[0].metadata.name}": ["0.5", "0.7"]})
    async with serving(rim) as client:
        services = SearchTargets(
            suggestion=client.channel, early_stopping=client.channel, db_manager="db:6789"
        )
        answer = await RemoteSuggestions(lambda _: services).ask(item, trials, 4, 1)

    (rule,) = answer.trials[0].stop_rules
    assert (rule.name, rule.value, rule.comparison.value) == ("loss", "0.6", "greater")


async def test_settings_of_early_stopping_are_refused_at_the_first_question() -> None:
    item, _ = await created(experiment(early_stopping=EarlyStoppingSpec(name="nope")))
    async with serving() as client:
        services = SearchTargets(suggestion=client.channel, early_stopping=client.channel)

        with pytest.raises(UserError, match="unknown algorithm name nope"):
            await RemoteSuggestions(lambda _: services).ask(item, (), 0, 1)


async def test_katibs_service_names_and_labels_its_trials_and_need_not_validate() -> None:
    item, trials = await created()
    metric = ObservedMetric(name="loss", min="0.1", max="0.9", latest="0.3")
    status = replace(trials[0].status, observation=Observation(metrics=(metric,)))
    trials[0] = replace(trials[0], status=status)
    katibs = NamingSearch()
    async with channel_to(katibs) as channel:
        search = RemoteSuggestions(lambda _: SearchTargets(suggestion=channel))
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
    item, trials = await created()
    katibs = NamingSearch()
    katibs.code = code
    async with channel_to(katibs) as channel:
        with pytest.raises(error, match="gamma is wrong"):
            await RemoteSuggestions(lambda _: SearchTargets(suggestion=channel)).ask(
                item, trials, 2, 1
            )


async def test_more_points_than_were_asked_for_are_no_answer_of_katibs() -> None:
    item, trials = await created()
    katibs = NamingSearch()
    async with channel_to(katibs) as channel:
        services = SearchTargets(suggestion=channel, follows_katib=True, address="theirs:1")
        with pytest.raises(
            RemoteError, match=r"unexpected trials: .*theirs:1 returned 1 instead of 0"
        ):
            await RemoteSuggestions(lambda _: services).ask(item, trials, 2, 0)


@pytest.mark.parametrize(("katibs", "final"), [(True, False), (False, True)])
async def test_fewer_points_are_the_end_of_our_search_and_not_of_katibs(
    katibs: bool,  # noqa: FBT001 - a parameter of the test
    final: bool,  # noqa: FBT001
) -> None:
    item, trials = await created()
    async with channel_to(NamingSearch()) as channel:
        services = SearchTargets(suggestion=channel, follows_katib=katibs)
        answer = await RemoteSuggestions(lambda _: services).ask(item, trials, 2, 3)

    assert (len(answer.trials), answer.final) == (1, final)


async def test_a_service_that_comes_back_in_time_is_just_asked() -> None:
    item, trials = await created()
    port = free_port()

    async def back() -> grpc.aio.Server:
        await asyncio.sleep(0.3)
        again = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        api_pb2_grpc.add_SuggestionServicer_to_server(NamingSearch(), again)
        again.add_insecure_port(f"127.0.0.1:{port}")
        await again.start()
        return again

    starting = asyncio.create_task(back())
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS) as channel:
        services = SearchTargets(suggestion=channel)
        answer = await RemoteSuggestions(lambda _: services).ask(item, trials, 2, 1)
    await (await starting).stop(None)

    assert len(answer.trials) == 1


async def test_a_service_that_stays_away_is_unavailable_and_says_why() -> None:
    item, trials = await created()
    async with grpc.aio.insecure_channel("127.0.0.1:1", options=CHANNEL_OPTIONS) as channel:
        search = RemoteSuggestions(lambda _: SearchTargets(suggestion=channel), patience=0.2)
        with pytest.raises(Unavailable, match=r"suggestion service did not answer: UNAVAILABLE"):
            await search.ask(item, trials, 2, 1)
