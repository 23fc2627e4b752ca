"""The history that a search gets of an experiment's trials."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from api.names import NUMBER_LABEL
from api.types import (
    Assignment,
    ConditionType,
    MetricStrategy,
    Objective,
    ObjectiveType,
    Observation,
    ObservedMetric,
    Strategy,
    Trial,
)
from suggestion.core.trial_history import PastTrial, history_of, seed_at
from tests.suggestion.controller_requests import OBJECTIVE, trial

LARGER = Objective(type=ObjectiveType.MAXIMIZE, metric="loss")
HERE = (Assignment(name="x", value="1"),)


@pytest.mark.parametrize(
    ("condition", "loss", "expected", "running"),
    [
        (ConditionType.SUCCEEDED, "0.5", 0.5, False),
        (ConditionType.EARLY_STOPPED, "0.5", 0.5, False),
        (ConditionType.SUCCEEDED, None, None, False),
        (ConditionType.SUCCEEDED, "nan", None, False),
        (ConditionType.SUCCEEDED, "inf", None, False),
        (ConditionType.SUCCEEDED, "unavailable", None, False),
        (ConditionType.SUCCEEDED, "1_000", None, False),
        (ConditionType.RUNNING, "0.5", None, True),
        (ConditionType.CREATED, None, None, True),
        ("Unknown", None, None, True),
        (ConditionType.FAILED, "0.5", None, False),
        (ConditionType.KILLED, None, None, False),
        (ConditionType.METRICS_UNAVAILABLE, None, None, False),
    ],
)
def test_a_trial_becomes_a_past_trial(
    condition: str, loss: str | None, expected: float | None, *, running: bool
) -> None:
    (past,) = history_of([trial("t", HERE, condition=condition, loss=loss)], OBJECTIVE, 1)

    assert past == PastTrial(assignments=HERE, loss=expected, running=running)


def test_a_trial_that_is_being_stopped_early_still_runs() -> None:
    end = "2026-01-31T12:00:00Z"
    stopping = trial("t", HERE, condition=ConditionType.EARLY_STOPPED)
    stopped = trial("t", HERE, condition=ConditionType.EARLY_STOPPED, end=end)

    history = history_of([stopping], OBJECTIVE, 1) + history_of([stopped], OBJECTIVE, 1)

    assert [(past.loss, past.running) for past in history] == [(None, True), (None, False)]


def test_with_maximize_the_loss_is_negated() -> None:
    (past,) = history_of([trial("t", HERE, loss="0.5")], LARGER, 1)

    assert past.loss == -0.5


@pytest.mark.parametrize(
    ("kind", "strategy", "loss"),
    [
        (ObjectiveType.MINIMIZE, None, 0.1),
        (ObjectiveType.MAXIMIZE, None, -9.0),
        (ObjectiveType.MINIMIZE, Strategy.LATEST, 5.0),
        (ObjectiveType.MINIMIZE, Strategy.MAX, 9.0),
    ],
)
def test_the_strategy_chooses_the_value_that_is_the_loss(
    kind: ObjectiveType, strategy: Strategy | None, loss: float
) -> None:
    own = () if strategy is None else (MetricStrategy(name="loss", strategy=strategy),)
    metric = ObservedMetric(name="loss", min="0.1", max="9", latest="5")
    one = trial("t", HERE)
    one = replace(one, status=replace(one.status, observation=Observation(metrics=(metric,))))

    (past,) = history_of([one], Objective(type=kind, metric="loss", strategies=own), 1)

    assert past.loss == loss


def test_a_duration_is_the_time_from_start_to_end() -> None:
    start, end = "2026-01-31T12:00:00Z", "2026-01-31T12:01:30Z"
    (past,) = history_of([trial("t", HERE, loss="1", start=start, end=end)], OBJECTIVE, 1)

    assert past.seconds == 90


@pytest.mark.parametrize("end", [None, "soon", "2026-01-31T12:01:30"])
def test_an_unknown_duration_is_none(end: str | None) -> None:
    start = "2026-01-31T12:00:00Z"
    (past,) = history_of([trial("t", HERE, loss="1", start=start, end=end)], OBJECTIVE, 1)

    assert past.seconds is None


def test_trials_are_sorted_whatever_the_order_of_the_request() -> None:
    sent = [
        trial(
            f"exp-{i}", [Assignment(name="x", value=str(i))], start=f"2026-01-31T12:00:{i // 4:02}Z"
        )
        for i in range(24)
    ]
    expected = history_of(sent, OBJECTIVE, 24)
    random.Random(1).shuffle(sent)

    assert history_of(sent, OBJECTIVE, 24) == expected
    assert [past.assignments[0].value for past in expected] == [str(i) for i in range(24)]


def test_a_trial_that_has_not_started_comes_last() -> None:
    waiting = trial("exp-0", condition=ConditionType.CREATED)
    started = trial("exp-1", HERE, loss="1", start="2026-01-31T12:00:00Z")

    assert [p.running for p in history_of([waiting, started], OBJECTIVE, 2)] == [False, True]


def test_trials_that_were_not_sent_keep_their_numbers() -> None:
    history = history_of([trial("t", HERE, loss="1")], OBJECTIVE, 3)

    assert history[1:] == (PastTrial(running=True), PastTrial(running=True))


def numbered(number: int, **own: str) -> Trial:
    one = trial(f"exp-{number}", HERE, **own)
    return replace(one, spec=replace(one.spec, labels={NUMBER_LABEL: str(number)}))


def test_a_number_that_is_missing_before_the_last_is_a_trial_that_has_gone() -> None:
    sent = [numbered(4, loss="4"), numbered(0, loss="0"), numbered(2, loss="2")]
    gone, unknown = PastTrial(), PastTrial(running=True)

    history = history_of(sent, OBJECTIVE, 6)

    assert [past.loss for past in history] == [0, None, 2, None, 4, None]
    assert (history[1], history[3], history[5]) == (gone, gone, unknown)


@pytest.mark.parametrize(
    "sent",
    [
        [numbered(3, loss="3"), trial("by-hand", HERE, loss="9")],
        [numbered(3, loss="3"), numbered(3, loss="9")],
        [numbered(999_999_999, loss="9"), numbered(3, loss="3")],
    ],
    ids=["not all have one", "two have the same", "larger than the count"],
)
def test_numbers_that_cannot_be_places_only_sort(sent: list[Trial]) -> None:
    history = history_of(sent, OBJECTIVE, 5)

    assert [past.loss for past in history] == [3, 9, None, None, None]
    assert all(past.running for past in history[2:])


def test_more_trials_than_suggestions_are_all_in_the_history() -> None:
    assert len(history_of([trial("a"), trial("b")], OBJECTIVE, 1)) == 2


def test_seeds_depend_on_each_argument_and_on_nothing_else() -> None:
    seeds = [seed_at(seed, index, word) for seed in range(9) for index in range(9) for word in "ab"]

    assert len(set(seeds)) == len(seeds)
    assert seed_at(1, 2, "a") == 3_809_693_015
    assert all(0 <= seed < 2**32 for seed in seeds)
