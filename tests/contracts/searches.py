"""What each implementation of the port `Searches` guarantees; a subclass has `searches`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from api.errors import UserError
from api.types import Assignment, ParameterSpec, Trial
from api.v1beta1 import api_pb2 as pb
from api.wire.experiments import experiment_to_wire
from api.wire.trials import assignments_from_wire, trial_to_wire
from suggestion.core.registry import find
from suggestion.core.search_task import search_task_of
from suggestion.service.searches import Job, Searches, SearchTimeoutError
from tests.suggestion.controller_requests import experiment, trial
from tests.suggestion.search_spaces import PLANE, built, categorical

SEEDED: Mapping[str, str] = MappingProxyType({"random_state": "7"})
PATIENCE = 120.0
"""Seconds that a call may take."""


def past(count: int) -> list[Trial]:
    points = find("random").make().suggest(built(*PLANE), (), count, 1)
    return [trial(f"t-{i}", point, loss=point[0].value) for i, point in enumerate(points)]


def asking(
    algorithm: str = "random",
    count: int = 1,
    *,
    trials: int = 0,
    values: Mapping[str, str] = SEEDED,
    parameters: tuple[ParameterSpec, ...] = PLANE,
    namespace: str = "red",
) -> Job:
    """Return a call of `GetSuggestions` after so many trials."""
    request = pb.GetSuggestionsRequest(
        experiment=experiment_to_wire(experiment(algorithm, parameters, values)),
        trials=map(trial_to_wire, past(trials)),
        current_request_number=count,
        total_request_number=trials + count,
    )
    return Job(method="GetSuggestions", request=request.SerializeToString(), namespace=namespace)


def validating(algorithm: str, values: Mapping[str, str]) -> Job:
    request = pb.ValidateAlgorithmSettingsRequest(
        experiment=experiment_to_wire(experiment(algorithm, PLANE, values))
    )
    return Job(
        method="ValidateAlgorithmSettings", request=request.SerializeToString(), namespace="red"
    )


async def reply(searches: Searches, job: Job) -> pb.GetSuggestionsReply:
    return pb.GetSuggestionsReply.FromString(await searches.run(job, PATIENCE))


def points(of: pb.GetSuggestionsReply) -> list[tuple[Assignment, ...]]:
    return [assignments_from_wire(one.assignments) for one in of.parameter_assignments]


class SearchesContract:
    """The guarantees of `suggestion.service.searches.Searches`, one test for each."""

    async def test_the_points_are_those_of_the_pure_search(self, searches: Searches) -> None:
        for algorithm in ("random", "tpe"):
            task = search_task_of(experiment(algorithm, PLANE, SEEDED).spec)
            found = points(await reply(searches, asking(algorithm, 3, trials=12)))
            assert found == list(task.suggest(past(12), 12, 3, 7))

    async def test_the_same_call_has_the_same_reply(self, searches: Searches) -> None:
        first, again = [await searches.run(asking(count=2), PATIENCE) for _ in range(2)]
        assert first == again

    async def test_a_search_without_a_seed_returns_the_one_that_it_drew(
        self, searches: Searches
    ) -> None:
        drawn = await reply(searches, asking(values={}))
        [setting] = drawn.algorithm.algorithm_settings
        assert setting.name == "random_state"
        repeated = await reply(searches, asking(values={"random_state": setting.value}))
        assert points(repeated) == points(drawn)
        assert not repeated.algorithm.algorithm_settings

    async def test_a_grid_at_its_end_has_fewer_points_than_were_asked_for(
        self, searches: Searches
    ) -> None:
        job = asking("grid", 5, values={}, parameters=(categorical("c", "a", "b"),))
        assert len(points(await reply(searches, job))) == 2

    async def test_calls_at_the_same_time_have_their_own_replies(self, searches: Searches) -> None:
        jobs = [
            asking(count=count, namespace=name) for count in (1, 2, 3) for name in ("red", "blue")
        ]
        replies = await asyncio.gather(*(reply(searches, job) for job in jobs))
        assert [len(points(each)) for each in replies] == [1, 1, 2, 2, 3, 3]

    async def test_valid_settings_have_an_empty_reply(self, searches: Searches) -> None:
        assert await searches.run(validating("tpe", {"gamma": "0.5"}), PATIENCE) == b""

    async def test_wrong_settings_are_the_users_fault_with_all_of_them(
        self, searches: Searches
    ) -> None:
        wrong = {"gamma": "2", "n_EI_candidates": "0"}
        with pytest.raises(UserError) as caught:
            await searches.run(validating("tpe", wrong), PATIENCE)
        assert all(name in str(caught.value) for name in wrong)
        assert len(str(caught.value).splitlines()) == 2

    @pytest.mark.parametrize(
        ("job", "why"),
        [
            (Job(method="GetSuggestions", request=b"\xff" * 9, namespace=""), "not a message"),
            (asking(count=10_001), "current_request_number: 10001; send a number from 0"),
            (asking("no-such-search"), "no-such-search"),
        ],
        ids=["not protobuf", "too many points", "unknown algorithm"],
    )
    async def test_a_wrong_request_is_the_users_fault_and_costs_the_next_one_nothing(
        self, searches: Searches, job: Job, why: str
    ) -> None:
        with pytest.raises(UserError, match=why):
            await searches.run(job, PATIENCE)
        assert points(await reply(searches, asking()))

    async def test_a_call_whose_deadline_is_over_says_so(self, searches: Searches) -> None:
        with pytest.raises(SearchTimeoutError):
            await searches.run(asking("tpe", trials=12), 0.0)
        assert points(await reply(searches, asking()))

    async def test_a_caller_that_goes_away_costs_the_others_nothing(
        self, searches: Searches
    ) -> None:
        gone = asyncio.create_task(searches.run(asking("tpe", trials=12), PATIENCE))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert points(await reply(searches, asking()))
