"""Trials in wire form: each version is encoded once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.types import ObjectMeta, Trial
from api.v1beta1 import api_pb2 as pb
from api.wire.trials import trial_to_wire
from controller.over_grpc.history_cache import HistoryCache, TrialsRequest


def trial(name: str, version: str = "1") -> Trial:
    meta = ObjectMeta(name=name, namespace="ns", uid=f"uid-{name}", resource_version=version)
    return Trial(metadata=meta)


@pytest.mark.parametrize(
    "question",
    [
        pb.GetSuggestionsRequest(
            experiment=pb.Experiment(name="exp"), current_request_number=2, total_request_number=9
        ),
        pb.GetEarlyStoppingRulesRequest(
            experiment=pb.Experiment(name="exp"), db_manager_address="db:6789"
        ),
    ],
)
def test_the_parts_are_the_message_that_they_stand_for(question: TrialsRequest) -> None:
    trials = [trial(name) for name in "cab"]
    whole = type(question)()
    whole.CopyFrom(question)  # type: ignore[arg-type]  # of the same kind
    whole.trials.extend(map(trial_to_wire, trials))
    cache = HistoryCache()

    for _ in range(2):
        encoded = cache.with_trials(question, trials)
        assert type(question).FromString(encoded) == whole


def test_a_trial_that_has_changed_is_written_anew() -> None:
    cache, question = HistoryCache(), pb.GetSuggestionsRequest()
    before = trial("a", "1")
    after = replace(before, metadata=replace(before.metadata, resource_version="2"))
    after = replace(after, status=replace(after.status, start_time="2026-01-02T03:04:05Z"))

    cache.with_trials(question, [before])
    encoded = cache.with_trials(question, [after])

    (sent,) = pb.GetSuggestionsRequest.FromString(encoded).trials
    assert sent.status.start_time == "2026-01-02T03:04:05Z"


def test_what_has_no_version_is_never_kept() -> None:
    cache = HistoryCache()
    cache.with_trials(pb.GetSuggestionsRequest(), [trial("a", "")])

    assert len(cache) == 0


def test_the_oldest_are_forgotten() -> None:
    cache, question = HistoryCache(max_trials=3), pb.GetSuggestionsRequest()
    trials = [trial(str(number)) for number in range(10)]

    encoded = cache.with_trials(question, trials)

    assert len(pb.GetSuggestionsRequest.FromString(encoded).trials) == 10
    assert len(cache) == 3
