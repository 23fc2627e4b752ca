"""Katib's service `Suggestion`, over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from api.types import Assignment, Experiment, ExperimentSpec, Trial
from api.v1beta1 import api_pb2 as pb
from api.wire.experiments import experiment_to_wire
from api.wire.trials import assignments_from_wire, trial_to_wire
from suggestion.service.search_calls import MOST_POINTS
from tests.suggestion.controller_requests import OBJECTIVE, experiment, trial
from tests.suggestion.search_spaces import EVERYTHING, PLANE, categorical, fits, integer
from tests.suggestion.suggestion_server import Client, serving


def asking(
    asked: Experiment, trials: Sequence[Trial] = (), *, count: int, total: int | None = None
) -> pb.GetSuggestionsRequest:
    return pb.GetSuggestionsRequest(
        experiment=experiment_to_wire(asked),
        trials=map(trial_to_wire, trials),
        current_request_number=count,
        total_request_number=len(trials) + count if total is None else total,
    )


async def suggested(
    client: Client,
    asked: Experiment,
    trials: Sequence[Trial] = (),
    *,
    count: int,
    total: int | None = None,
) -> list[tuple[str, ...]]:
    request = asking(asked, trials, count=count, total=total)
    reply = await client.suggestion.GetSuggestions(request)
    return [tuple(a.value for a in one.assignments) for one in reply.parameter_assignments]


async def test_the_reply_has_as_many_points_as_requested() -> None:
    async with serving() as client:
        request = asking(experiment("tpe"), count=3)
        reply = await client.suggestion.GetSuggestions(request)

    assert len(reply.parameter_assignments) == 3
    for one in reply.parameter_assignments:
        assert one.trial_name == ""
        point = assignments_from_wire(one.assignments)
        assert all(fits(spec, a.value) for spec, a in zip(EVERYTHING, point, strict=True))


async def test_the_reply_has_the_seed_that_the_service_chose() -> None:
    async with serving() as client:
        reply = await client.suggestion.GetSuggestions(asking(experiment("random"), count=1))
        (kept,) = reply.algorithm.algorithm_settings
        again = await suggested(
            client, experiment("random", values={kept.name: kept.value}), count=1
        )

    assert (reply.algorithm.algorithm_name, kept.name) == ("random", "random_state")
    assert again == [tuple(a.value for a in reply.parameter_assignments[0].assignments)]


async def test_two_experiments_without_a_seed_differ() -> None:
    async with serving() as client:
        assert await suggested(client, experiment(), count=5) != await suggested(
            client, experiment(), count=5
        )


@pytest.mark.parametrize(("name", "values"), [("random", {"random_state": "4"}), ("grid", {})])
async def test_without_a_new_seed_the_reply_has_no_settings(
    name: str, values: dict[str, str]
) -> None:
    parameters = (integer("a", "1", "9"),)
    async with serving() as client:
        request = asking(experiment(name, parameters, values), count=1)
        reply = await client.suggestion.GetSuggestions(request)

    assert not reply.HasField("algorithm")


async def test_a_replica_continues_where_another_stopped() -> None:
    asked = experiment("multivariate-tpe", PLANE, {"random_state": "1"})
    async with serving() as one, serving() as other:
        trials: list[Trial] = []
        answers: list[list[tuple[str, ...]]] = [[], []]
        for number in range(15):
            point: tuple[Assignment, ...] = ()
            for client, answer in zip((one, other), answers, strict=True):
                request = asking(asked, trials, count=1)
                reply = await client.suggestion.GetSuggestions(request)
                point = assignments_from_wire(reply.parameter_assignments[0].assignments)
                answer.append(tuple(a.value for a in point))
            trials.append(trial(f"t-{number}", point, loss=point[0].value))

    assert answers[0] == answers[1]
    assert len(set(answers[0])) == 15


async def test_trials_that_are_not_sent_count_too() -> None:
    """Katib's controller does not send trials without metrics."""
    asked = experiment("random", PLANE, {"random_state": "1"})
    async with serving() as client:
        first = await suggested(client, asked, count=3)
        after = await suggested(client, asked, count=3, total=6)
        whole = await suggested(client, asked, count=6)

    assert first + after == whole


async def test_a_grid_at_its_end_returns_the_rest_and_then_nothing() -> None:
    asked = experiment("grid", (categorical("a", "x", "y"), integer("b", "1", "2")))
    async with serving() as client:
        points = await suggested(client, asked, count=3)
        trials = [_trial_at(number, point) for number, point in enumerate(points)]
        points += await suggested(client, asked, trials, count=3)
        trials.append(_trial_at(3, points[-1]))
        rest = await suggested(client, asked, trials, count=3)

    assert points == [("x", "1"), ("x", "2"), ("y", "1"), ("y", "2")]
    assert rest == []


def _trial_at(number: int, point: tuple[str, ...]) -> Trial:
    names = ("a", "b")
    assignments = [Assignment(name=n, value=v) for n, v in zip(names, point, strict=True)]
    return trial(f"t-{number}", assignments, loss="1")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (experiment("tpee"), "unknown algorithm name tpee"),
        (experiment("tpe", values={"gamma": "2"}), "gamma should be in the range of (0, 1)"),
        (Experiment(spec=ExperimentSpec(parameters=PLANE, objective=OBJECTIVE)), "spec.algorithm: Required"),
        (Experiment(), "spec.algorithm: Required value"),
    ],
)  # fmt: skip
async def test_a_wrong_experiment_is_refused_by_both_calls(asked: Experiment, words: str) -> None:
    async with serving() as client:
        for call in (
            client.suggestion.ValidateAlgorithmSettings(
                pb.ValidateAlgorithmSettingsRequest(experiment=experiment_to_wire(asked))
            ),
            client.suggestion.GetSuggestions(asking(asked, count=1)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert words in str(refused.value.details())


async def test_a_search_needs_parameters_and_with_trials_an_objective() -> None:
    measured = _trial_at(0, ("x", "1"))
    nowhere, aimless = experiment("random", ()), experiment("random", objective=None)
    past = [replace(measured, spec=replace(measured.spec, objective=None))]
    async with serving() as client:
        for request, words in (
            (asking(nowhere, count=1), "spec.parameters or spec.nasConfig must be specified"),
            (asking(aimless, past, count=1), "spec.objective: Required value"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await client.suggestion.GetSuggestions(request)
            assert words in str(refused.value.details())


async def test_a_correct_experiment_is_accepted() -> None:
    request = pb.ValidateAlgorithmSettingsRequest(
        experiment=experiment_to_wire(experiment("tpe", values={"gamma": "0.3"}))
    )
    async with serving() as client:
        reply = await client.suggestion.ValidateAlgorithmSettings(request)

    assert reply == pb.ValidateAlgorithmSettingsReply()


@pytest.mark.parametrize("count", [-1, MOST_POINTS + 1])
async def test_a_number_of_points_out_of_range_is_refused(count: int) -> None:
    async with serving() as client:
        with pytest.raises(grpc.aio.AioRpcError, match="current_request_number") as refused:
            await client.suggestion.GetSuggestions(asking(experiment(), count=count, total=1))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_total_out_of_range_is_refused() -> None:
    async with serving() as client:
        with pytest.raises(grpc.aio.AioRpcError, match="total_request_number") as refused:
            await client.suggestion.GetSuggestions(asking(experiment(), count=1, total=2**31 - 1))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "service",
    ["", "manager.v1beta1.Suggestion", "api.v1.beta1.Suggestion", "api.v1.beta1.EarlyStopping"],
)
async def test_the_service_is_healthy_for_katibs_probes(service: str) -> None:
    async with serving() as client:
        stub = health_pb2_grpc.HealthStub(client.channel)
        reply = await stub.Check(health_pb2.HealthCheckRequest(service=service))

    assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_many_calls_at_once_are_all_answered() -> None:
    trials = [trial(f"t-{i}", condition="Running") for i in range(5)]
    asked = experiment(
        "bayesianoptimization", PLANE, {"random_state": "1", "n_initial_points": "0"}
    )
    async with serving() as client:
        answers = await asyncio.gather(
            *(suggested(client, asked, trials, count=2) for _ in range(8))
        )

    assert all(answer == answers[0] for answer in answers)
