"""What the controller's bench makes of what it counts."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.controller_figures import (
    Sample,
    Shape,
    Stretch,
    by_label,
    requests_of,
    shape_of,
    stretches,
    turns_in,
    windows_of,
)

METRICS = """\
# HELP trialwatch_controller_turn_seconds How long the turns of objects took, by kind.
# TYPE trialwatch_controller_turn_seconds histogram
trialwatch_controller_turn_seconds_bucket{kind="trial",le="0.001"} 5.0
trialwatch_controller_turn_seconds_count{kind="trial"} 7.0
trialwatch_controller_turn_seconds_sum{kind="trial"} 0.5
trialwatch_controller_turn_seconds_count{kind="experiment"} 2.0
trialwatch_controller_turn_seconds_sum{kind="experiment"} 1e-03
asked_total{code="OK",method="/a.B/C"} 3.0
asked_total{code="UNAVAILABLE",method="/a.B/C"} 4.0
asked_total{code="OK",method="/a.B/D"} 5.0
"""


def sample(done: int, *, seconds: float = 0.0, cpu: float = 0.0, turns: float = 0.0) -> Sample:
    return Sample(done=done, seconds=seconds, cpu=cpu, turns={"trial": (turns, turns / 10)})


def test_a_run_is_so_many_experiments_of_so_many_trials() -> None:
    assert shape_of("50x20") == Shape(50, 20)
    assert shape_of("50x20").total == 1_000


@pytest.mark.parametrize("text", ["", "50", "0x20", "50x", "50x20x3", "a lot"])
def test_what_is_no_run_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="such as 50x20"):
        shape_of(text)


@pytest.mark.parametrize(
    ("total", "windows"),
    [
        (20, [(0, 20)]),
        (1_000, [(50, 150), (850, 950)]),
        (5_000, [(50, 150), (950, 1_050), (4_850, 4_950)]),
    ],
)
def test_windows_lie_early_and_late(total: int, windows: list[tuple[int, int]]) -> None:
    assert windows_of(total) == windows


def test_a_stretch_says_what_one_trial_of_it_cost() -> None:
    samples = [
        sample(0),
        sample(52, seconds=1, cpu=1, turns=10),
        sample(152, seconds=3, cpu=2, turns=210),
    ]

    (found,) = stretches(samples, [(50, 150)])

    assert found == Stretch(first=samples[1], last=samples[2])
    assert (found.trials, found.per_second, found.cpu) == (100, 50, 0.01)
    assert found.turns("trial") == 2
    assert found.seconds_of_a_turn("trial") == pytest.approx(0.1)


def test_a_window_without_a_sample_of_its_own_is_left_out() -> None:
    assert list(stretches([sample(0), sample(100)], [(0, 10), (0, 90)])) == [
        Stretch(first=sample(0), last=sample(100))
    ]


def test_turns_are_read_from_the_metrics() -> None:
    assert turns_in(METRICS, ("trial", "experiment")) == {
        "trial": (7, 0.5),
        "experiment": (2, 0.001),
    }


def test_a_label_chooses_among_the_values_of_a_metric() -> None:
    assert list(by_label(METRICS, "asked_total", "method", "/a.B/C")) == [3, 4]


def test_requests_are_those_of_one_user_the_most_frequent_first() -> None:
    asked = Counter(
        {
            ("controller", "create", "jobs"): 1,
            ("controller", "update", "trials/status"): 3,
            ("bench", "create", "pods"): 9,
        }
    )

    assert requests_of(asked, "controller") == [
        ("update", "trials/status", 3),
        ("create", "jobs", 1),
    ]
