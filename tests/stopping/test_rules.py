"""Which running trials each rule stops, and what it says."""

from __future__ import annotations

import pytest

from stopping.curves import Resource
from stopping.median import LiveMedianStop
from stopping.patience import Patience
from stopping.percentile import PercentileStop
from stopping.rule import TrialState
from stopping.successive_halving import SuccessiveHalving
from stopping.threshold import Threshold
from tests.stopping.histories import ACCURACY, curve, stopped_by, succeeded, trial

ENDED = [succeeded("a", [4, 3, 2, 1]), succeeded("b", [8, 6, 4, 2]), succeeded("c", [9, 9, 9, 9])]


# -- medianstop -----------------------------------------------------------------------------


def test_medianstop_compares_the_best_value_with_the_averages_over_as_many_values() -> None:
    rule = LiveMedianStop(start_step=2)

    # The averages of the first two values are 3.5, 7 and 9.
    assert stopped_by(rule, [*ENDED, trial("x", [9, 7])]) == {}
    assert stopped_by(rule, [*ENDED, trial("x", [9, 7.1])]) == {
        "x": "medianstop: its best loss of 2 values is 7.1, worse than 7, the median of 3 trials"
        " that succeeded"
    }


def test_medianstop_waits_for_its_first_step_and_for_enough_trials() -> None:
    bad = trial("x", [99, 99])

    assert stopped_by(LiveMedianStop(start_step=3), [*ENDED, bad]) == {}
    assert stopped_by(LiveMedianStop(start_step=2), [*ENDED[:2], bad]) == {}
    assert stopped_by(LiveMedianStop(start_step=2, min_trials_required=2), [*ENDED[:2], bad])


def test_medianstop_does_not_compare_with_trials_that_were_stopped() -> None:
    stopped = [trial(name, [9, 9], TrialState.STOPPED) for name in "ab"]

    assert stopped_by(LiveMedianStop(start_step=1), [*ENDED[:2], *stopped, trial("x", [99])]) == {}


def test_a_trial_that_printed_no_number_is_worse_than_all() -> None:
    assert set(stopped_by(LiveMedianStop(), [*ENDED, trial("x", ["nan"] * 4)])) == {"x"}


# -- asha -----------------------------------------------------------------------------------


def test_asha_keeps_the_best_share_of_each_rung() -> None:
    rule = SuccessiveHalving(name="asha", reduction_factor=2, resource=Resource.POINTS)
    trials = [trial(name, [loss]) for name, loss in [("a", 1), ("b", 2), ("c", 3), ("d", 4)]]

    found = stopped_by(rule, trials)

    assert set(found) == {"c", "d"}
    assert found["c"] == "asha: 2 of 4 trials had a better loss until 1 value; the best 2 go on"


def test_asha_compares_at_the_rung_even_if_the_others_are_far_beyond_it() -> None:
    rule = SuccessiveHalving(name="asha", reduction_factor=2)

    # At step 1 the others had 5 and 6; that they have less now does not count.
    others = [succeeded("a", [5, 1, 1]), succeeded("b", [6, 1])]
    assert stopped_by(rule, [*others, trial("x", [4])]) == {}


def test_asha_compares_only_with_those_that_were_at_the_rung_before() -> None:
    rule = SuccessiveHalving(name="asha", reduction_factor=2)
    early, late = trial("early", [5]), trial("late", [4], begun=9)

    assert stopped_by(rule, [early, late]) == {}
    assert set(stopped_by(rule, [late, trial("later", [6], begun=99)])) == {"later"}


def test_asha_compares_at_each_rung_that_was_passed_between_two_looks() -> None:
    rule = SuccessiveHalving(name="asha", reduction_factor=2)

    # It is the first one at step 2 and step 4, but it should not have come so far.
    found = stopped_by(rule, [trial("a", [1]), trial("x", [2, 2, 2, 2], begun=9)])

    assert found == {"x": "asha: 1 of 2 trials had a better loss until step 1; the best 1 go on"}


def test_asha_rounds_its_share_up() -> None:
    rule = SuccessiveHalving(name="asha", reduction_factor=4)
    ended = [trial(f"s{i}", [9], TrialState.STOPPED) for i in range(3)]

    assert set(stopped_by(rule, [*ended, trial("a", [1])])) == set()
    assert set(stopped_by(rule, [*ended, trial("a", [1]), trial("b", [2], begun=1)])) == set()
    assert set(stopped_by(rule, [*ended[1:], trial("a", [1]), trial("b", [2], begun=1)])) == {"b"}


def test_asha_has_no_rung_at_the_maximum_or_above() -> None:
    ended = succeeded("a", [1, 1, 1, 1, 1])
    rest = [9, 9, 9, 9]

    assert (
        stopped_by(SuccessiveHalving(name="asha", max_resource=4), [ended, trial("x", [0, *rest])])
        == {}
    )
    assert stopped_by(SuccessiveHalving(name="asha"), [ended, trial("x", [1, *rest])]) == {}
    better = succeeded("b", [1, 1, 1, 0.5])
    assert set(stopped_by(SuccessiveHalving(name="asha"), [better, trial("x", [1, *rest])])) == {
        "x"
    }


def test_equal_values_are_never_stopped() -> None:
    rule = SuccessiveHalving(name="asha")

    assert stopped_by(rule, [trial(name, [0.1] * 9) for name in "abcdefgh"]) == {}


def test_with_brackets_only_trials_of_one_bracket_are_compared() -> None:
    rule = SuccessiveHalving(name="asha", reduction_factor=3, brackets=3)
    trials = [trial(f"trial-{i}", [i]) for i in range(60)]

    stopped = stopped_by(rule, trials)

    # Those of the second and third bracket are not compared at step 1.
    assert 20 < len(stopped) < 40
    assert {"trial-0"} & set(stopped) == set()


def test_with_maximize_more_is_better() -> None:
    rule = SuccessiveHalving(name="asha", reduction_factor=2)
    trials = [trial(name, [value], metric="accuracy") for name, value in [("a", 0.1), ("b", 0.9)]]

    assert set(stopped_by(rule, trials, ACCURACY)) == {"a"}


# -- percentile, patience, threshold --------------------------------------------------------


def test_percentile_keeps_so_many_percent_at_the_same_step() -> None:
    rule = PercentileStop(percentile=25, start_step=2)
    others = [trial(f"o{i}", [9, i], TrialState.STOPPED) for i in range(3)]

    assert stopped_by(rule, [*others, trial("x", [0])]) == {}
    assert stopped_by(rule, [*others, trial("x", [9, -1])]) == {}
    assert stopped_by(rule, [*others, trial("x", [9, 0.5])]) == {
        "x": "percentile: 1 of 4 trials have a better loss until step 2; the best 1 go on"
    }


def test_patience_ends_a_trial_without_an_improvement() -> None:
    rule = Patience(n=3, min_delta=0.1)

    assert stopped_by(rule, [trial("x", [5, 4, 3.95, 3.95])]) == {}
    assert stopped_by(rule, [trial("x", [5, 4, 3.95, 3.95, 3.91])]) == {
        "x": "patience: loss has not improved by more than 0.1 since step 2; it has step 5 now"
    }
    assert stopped_by(rule, [trial("x", [5, 4, 3.95, 3.95, 3.8])]) == {}
    assert stopped_by(Patience(n=3, start_step=9), [trial("x", [5] * 8)]) == {}


def test_threshold_ends_a_trial_out_of_bounds_and_one_that_diverged() -> None:
    rule = Threshold(upper=10, start_step=2)

    assert stopped_by(rule, [trial("x", [99])]) == {}
    assert stopped_by(rule, [trial("x", [99, 9])]) == {}
    assert stopped_by(rule, [trial("x", [1, 11])]) == {
        "x": "threshold: loss is 11.0, more than the upper bound 10 at step 2"
    }
    assert stopped_by(rule, [trial("x", [1, "nan"])]) == {
        "x": "threshold: loss is not a finite number at step 2"
    }


def test_threshold_may_look_at_another_metric() -> None:
    both = trial("x", [1])
    both = type(both)(name="x", state=both.state, curves={**both.curves, "latency": curve([30])})

    assert set(stopped_by(Threshold(metric="latency", upper=20), [both])) == {"x"}


@pytest.mark.parametrize(
    "rule",
    [
        LiveMedianStop(start_step=1, min_trials_required=1),
        SuccessiveHalving(name="asha"),
        PercentileStop(start_step=1, min_trials_required=1),
        Patience(n=1),
        Threshold(upper=0),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_a_trial_that_has_ended_or_printed_nothing_is_never_stopped(rule: object) -> None:
    trials = [
        succeeded("a", [1]),
        succeeded("b", [9, 9, 9]),
        trial("c", [9, 9, 9], TrialState.STOPPED),
        trial("d", []),
    ]

    assert stopped_by(rule, trials) == {}  # type: ignore[arg-type]  # each is a StoppingRule
