"""Hostile requests beside honest ones, over gRPC and with real worker processes.

Each attack blocked the service, or took its memory, when all searches shared one thread.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from api.names import NAMESPACE_METADATA
from api.types import ParameterSpec, Trial
from api.v1beta1 import api_pb2 as pb
from api.wire.experiments import experiment_to_wire
from api.wire.trials import trial_to_wire
from suggestion.core.registry import find
from tests.polling import eventually
from tests.suggestion.controller_requests import experiment, trial
from tests.suggestion.search_spaces import PLANE, built, double
from tests.suggestion.suggestion_server import Client, serving

HONEST = ("random", "tpe", "cmaes", "sobol")


def past(count: int) -> list[Trial]:
    points = find("random").make().suggest(built(*PLANE), (), count, 1)
    return [trial(f"t-{i}", point, loss=point[0].value) for i, point in enumerate(points)]


def asking(
    algorithm: str = "random",
    count: int = 1,
    trials: int = 0,
    values: Mapping[str, str] = MappingProxyType({}),
    parameters: tuple[ParameterSpec, ...] = PLANE,
) -> pb.GetSuggestionsRequest:
    return pb.GetSuggestionsRequest(
        experiment=experiment_to_wire(experiment(algorithm, parameters, values)),
        trials=map(trial_to_wire, past(trials)),
        current_request_number=count,
        total_request_number=trials + count,
    )


def asked(
    client: Client, request: pb.GetSuggestionsRequest, namespace: str, seconds: float | None = None
) -> Any:  # noqa: ANN401 - a call of grpc.aio
    metadata = ((NAMESPACE_METADATA, namespace),)
    return client.suggestion.GetSuggestions(request, metadata=metadata, timeout=seconds)


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), str(refused.value.details())


TWO_THOUSAND = asking("tpe", 2000, values={"n_startup_trials": "0", "n_EI_candidates": "10000"})


async def test_two_thousand_points_of_tpe_do_not_delay_other_namespaces() -> None:
    async with serving() as client:
        hostile = [asked(client, TWO_THOUSAND, "mallory") for _ in range(20)]
        await eventually(lambda: client.value("calls_running") == 1)
        await eventually(lambda: client.value("calls_waiting") == 19)
        for name in HONEST:
            reply = await asked(client, asking(name, 2, trials=12), "ann")
            assert len(reply.parameter_assignments) == 2
        health = health_pb2_grpc.HealthStub(client.channel)
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == 1

        assert not any(call.done() for call in hostile)
        assert (client.value("calls_running"), client.value("calls_waiting")) == (1, 19)
        for call in hostile:
            call.cancel()
        await eventually(lambda: client.value("calls_running") == 0)
        assert client.value("calls_waiting") == 0
        assert client.value("calls_dropped_total", reason="abandoned") == 19
        assert client.value("searches_killed_total", reason="abandoned") == 1


async def test_a_search_beyond_the_limit_is_stopped_and_its_user_reads_what_to_do() -> None:
    async with serving(seconds=0.5) as client:
        code, message = await refusal(asked(client, TWO_THOUSAND, "mallory"))
        assert client.value("searches_killed_total", reason="deadline") == 1

    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "namespace mallory" in message
    assert message.endswith(
        "did not end within 0.5 s (--search-timeout) and was stopped; ask for fewer points at a"
        " time (spec.parallelTrialCount), write smaller settings, or take a faster algorithm"
    )


async def test_a_search_ends_with_the_deadline_of_its_caller() -> None:
    async with serving() as client:
        code, _ = await refusal(asked(client, TWO_THOUSAND, "mallory", 1))
        await eventually(lambda: client.value("calls_running") == 0)

        assert code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert all(worker.pid is None for worker in client.workers)


async def test_thirty_million_candidates_are_refused_before_a_search() -> None:
    values = {"n_EI_candidates": "30000000"}
    async with serving() as client:
        validation = pb.ValidateAlgorithmSettingsRequest(
            experiment=experiment_to_wire(experiment("tpe", PLANE, values))
        )
        for call in (
            client.suggestion.ValidateAlgorithmSettings(validation),
            asked(client, asking("tpe", values=values), "mallory"),
        ):
            code, message = await refusal(call)
            assert code is grpc.StatusCode.INVALID_ARGUMENT
            assert message == (
                "n_EI_candidates must be at most 10000; write a whole number from 1 to 10000"
                ' (spec.algorithm.algorithmSettings[0].value: "30000000")'
            )


async def test_a_search_that_needs_too_much_memory_ends_alone() -> None:
    many = tuple(double(f"x{i}", "0", "1") for i in range(1000))
    hostile = asking("qmc", 10_000, parameters=many)
    async with serving(memory=320 << 20) as client:
        attack = asyncio.gather(*(refusal(asked(client, hostile, "mallory")) for _ in range(3)))
        for name in HONEST:
            reply = await asked(client, asking(name, 2, trials=12), "ann")
            assert len(reply.parameter_assignments) == 2
        refusals = await attack

        assert client.value("searches_killed_total", reason="memory") == 3
    for code, message in refusals:
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert message.startswith(
            "experiment digits of namespace mallory: the search qmc for 10000 points after 0 trials"
            " needs too much memory: a worker has 320 MiB; write smaller settings"
        )


async def test_a_worker_that_is_killed_takes_only_its_own_search_with_it() -> None:
    async with serving() as client:
        hostile = asyncio.create_task(refusal(asked(client, TWO_THOUSAND, "mallory")))
        await eventually(lambda: any(worker.pid for worker in client.workers))
        (pid,) = (worker.pid for worker in client.workers if worker.pid)
        assert (await asked(client, asking(), "ann")).parameter_assignments
        os.kill(pid, signal.SIGKILL)
        code, message = await hostile
        assert (await asked(client, asking(), "mallory")).parameter_assignments

    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "needs too much memory: a worker has 512 MiB" in message


async def test_more_trials_than_a_request_may_have_are_refused() -> None:
    request = asking()
    request.trials.extend([pb.Trial(name="t")] * 25_001)
    async with serving() as client:
        code, message = await refusal(asked(client, request, "mallory"))

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert message == "trials: 25001 trials; send at most 25000"


async def test_a_request_that_is_not_protobuf_is_refused_in_one_sentence() -> None:
    async with serving() as client:
        path = "/api.v1.beta1.Suggestion/GetSuggestions"
        method = client.channel.unary_unary(path, bytes, bytes)
        code, message = await refusal(method(b"\xff" * 100))

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert message == (
        "the request is not a message api.v1.beta1.GetSuggestionsRequest; send one in protobuf"
    )
