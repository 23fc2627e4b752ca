"""The values of the pages, from an experiment at any moment of its life."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.types import ConditionType, LogFormat
from tests.trialwatch.view.watched_experiment import START, at, experiment, mixed_fortunes, trial
from ui.model.experiment_list import ExperimentState, experiment_list, experiment_row
from ui.model.experiment_page import experiment_page
from ui.model.experiment_summary import ExperimentSummary, RunState, summary_of
from ui.model.format_trial import try_format
from ui.model.importance import LEAST_TRIALS, importance_of
from ui.model.trial_columns import changed_since, trial_columns
from ui.model.trial_page import trial_page

TRIALS = mixed_fortunes()
BEST = "random-0001"


def summary(seconds: float = 60, run: RunState | None = None) -> ExperimentSummary:
    made = experiment(TRIALS, BEST)
    return summary_of(made, TRIALS, {}, at(seconds), run or RunState())


def test_the_row_of_an_experiment_counts_its_trials_by_state() -> None:
    row = experiment_row("team", "2026-01-01T00:00:00Z", summary())

    progress = row.progress
    assert progress.total == len(TRIALS)
    states = (
        progress.succeeded,
        progress.stopped,
        progress.failed,
        progress.running,
        progress.waiting,
    )
    assert sum(states) == len(TRIALS)
    assert (row.state, row.best_trial, row.metric) == ("running", BEST, "Validation-accuracy")


@pytest.mark.parametrize(
    ("outcome", "run", "state"),
    [
        (None, RunState(), ExperimentState.RUNNING),
        (None, RunState(interrupted=True), ExperimentState.INTERRUPTED),
        (ConditionType.SUCCEEDED, RunState(), ExperimentState.SUCCEEDED),
        (ConditionType.FAILED, RunState(), ExperimentState.FAILED),
    ],
)
def test_the_state_of_an_experiment(
    outcome: ConditionType | None, run: RunState, state: ExperimentState
) -> None:
    made = experiment(TRIALS, BEST, outcome=outcome)
    found = summary_of(made, TRIALS, {}, at(9), run)

    assert experiment_row("", "", found).state is state


def test_the_sparkline_is_the_best_so_far() -> None:
    values = ("0.5", "0.4", "0.7", "0.6")
    trials = tuple(trial(n, value=value) for n, value in enumerate(values, start=1))

    row = experiment_row("", "", summary_of(experiment(trials), trials, {}, at(9)))

    assert row.spark == (0.5, 0.5, 0.7, 0.7)


def test_the_newest_experiment_is_first() -> None:
    one, two = (replace(summary(), name=name) for name in ("old", "new"))

    found = experiment_list([("a", "2026-01-01", one), ("a", "2026-02-01", two)], "here", "so")

    assert [row.name for row in found.experiments] == ["new", "old"]


def test_the_head_of_a_page_has_axes_and_causes() -> None:
    page = experiment_page(experiment(TRIALS, BEST), summary(), "")

    assert [(axis.name, axis.is_number, axis.is_log) for axis in page.axes] == [
        ("lr", True, True),
        ("num-layers", True, False),
        ("optimizer", False, False),
    ]
    assert page.goal == 0.99
    assert page.best_assignments["optimizer"] == "adam"
    assert all(cause.text and cause.count == len(cause.trials) for cause in page.causes)


def test_the_rest_of_the_time_follows_the_pace_so_far() -> None:
    page = experiment_page(experiment(TRIALS, BEST, most=2 * summary().ended), summary(), "")
    found = summary_of(experiment(TRIALS, BEST, most=2 * summary().ended), TRIALS, {}, at(60))

    assert found.seconds is not None
    assert experiment_page(experiment(TRIALS), found, "").seconds_left == pytest.approx(
        found.seconds
    )
    assert page.seconds == found.seconds


def test_each_column_has_an_item_for_each_trial() -> None:
    columns = trial_columns(summary(), TRIALS)

    lengths = {
        len(column)
        for column in (
            columns.name,
            columns.number,
            columns.state,
            columns.start,
            columns.seconds,
            columns.note,
            *columns.values,
            *columns.results,
        )
    }
    assert lengths == {len(TRIALS)}
    assert columns.parameters == ("lr", "num-layers", "optimizer")
    assert columns.start[columns.name.index(BEST)] == START + 1


def test_only_the_changed_trials_are_sent_with_their_numbers() -> None:
    columns = trial_columns(summary(), TRIALS, frozenset({TRIALS[2].metadata.name}))

    assert (columns.name, columns.number) == ((TRIALS[2].metadata.name,), (3,))


def test_the_passing_of_time_changes_no_trial() -> None:
    assert changed_since(summary(60), summary(61)) == frozenset()


def test_a_new_value_changes_a_trial() -> None:
    running = (trial(1, ConditionType.RUNNING),)
    made = experiment(running)
    before = summary_of(made, running, {}, at(5))
    after = summary_of(made, running, {BEST: {"Validation-accuracy": "0.5"}}, at(5))

    assert changed_since(before, after) == {BEST}
    assert changed_since(None, after) == {BEST}


def test_the_page_of_a_trial_has_the_best_one_beside_it() -> None:
    found = summary()
    page = trial_page(TRIALS[1], found.rows[1], found)

    assert page.best_trial == BEST
    assert {one.name for one in page.assignments} == {"lr", "num-layers", "optimizer"}
    assert (page.previous, page.next) == (TRIALS[0].metadata.name, TRIALS[2].metadata.name)
    assert page.log_format == "TEXT"


def test_a_trial_with_a_result_has_no_cause() -> None:
    trials = (trial(1, value="0.9", message="Trial has succeeded"),)
    found = summary_of(experiment(trials, BEST), trials, {}, at(9))

    assert trial_page(trials[0], found.rows[0], found).cause == ""
    assert trial_columns(found, trials).note == ("",)


def test_the_parameter_that_matters_is_the_most_important() -> None:
    # The result follows the optimizer alone: number % 3.
    trials = tuple(trial(n, value=f"0.{(n % 3) + 1}{n % 7}") for n in range(1, 61))

    found = importance_of(summary_of(experiment(trials), trials, {}, at(90)))

    assert found.why_not == ""
    assert found.parameters[0].name == "optimizer"
    assert sum(one.value for one in found.parameters) == pytest.approx(1, abs=1e-4)
    assert all(0 <= one.low <= one.value <= one.high <= 1 for one in found.parameters)


def test_few_trials_have_no_importance_and_say_why() -> None:
    trials = tuple(trial(n, value=f"0.{n}") for n in range(1, LEAST_TRIALS))

    found = importance_of(summary_of(experiment(trials), trials, {}, at(9)))

    assert found.parameters == ()
    assert found.why_not == f"It needs {LEAST_TRIALS} trials with a result, and there are 7."


def test_equal_results_have_no_importance() -> None:
    trials = tuple(trial(n, value="0.5") for n in range(1, 20))

    found = importance_of(summary_of(experiment(trials), trials, {}, at(9)))

    assert found.why_not == "All trials have the same result, so no parameter has mattered."


def test_a_tried_format_shows_points_and_near_misses() -> None:
    found = try_format("loss=0.5\nacc=0.9\n", ("loss", "accuracy"), LogFormat.TEXT, ())

    assert [(one.name, one.value, one.line) for one in found.points] == [("loss", "0.5", 1)]
    assert [(one.name, one.points) for one in found.counts] == [("loss", 1), ("accuracy", 0)]
    assert found.near_misses[0].metric == "accuracy"
    assert not found.is_cut
