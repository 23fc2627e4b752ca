"""What is told where there is no terminal, and what is told at the end."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from api.types import Assignment, ConditionType, Experiment, Trial
from tests.trialwatch.view.watched_experiment import (
    MIXED_LATEST,
    at,
    experiment,
    mixed_fortunes,
    trial,
)
from trialwatch.view.closing import Commands, closing
from trialwatch.view.lines import changes, opening
from ui.model.experiment_summary import ExperimentSummary, summary_of

if TYPE_CHECKING:
    from tests.conftest import Golden

DATA = Path(__file__).parent / "data"
RUNNING, FAILED = ConditionType.RUNNING, ConditionType.FAILED


def stands(found: Experiment, trials: tuple[Trial, ...], seconds: float = 9) -> ExperimentSummary:
    return summary_of(found, trials, MIXED_LATEST, at(seconds))


def test_a_run_is_shown_line_by_line(golden: Golden) -> None:
    trials = mixed_fortunes()
    moments = [
        stands(experiment(), ()),
        stands(experiment(), (trial(0, RUNNING), trial(1, RUNNING))),
        stands(experiment(trials[:2], "random-0000"), (trials[0], trial(1, RUNNING))),
        stands(experiment(trials[:2], "random-0001"), trials[:2]),
        stands(experiment(trials, "random-0001"), trials),
    ]
    lines = list(opening(moments[0]))
    for before, after in pairwise(moments):
        lines += changes(before, after)

    golden(DATA / "lines.txt", "\n".join(lines) + "\n")


def test_a_run_that_goes_on_says_where_it_stands() -> None:
    trials = mixed_fortunes()
    found = stands(experiment(trials, "random-0001"), trials)

    assert list(opening(found))[1:] == [
        "continuing with 8 trials, of which 5 have ended",
        "best so far: Validation-accuracy=0.9711 by random-0001",
    ]


def test_nothing_new_is_no_line() -> None:
    trials = mixed_fortunes()
    first = stands(experiment(trials, "random-0001"), trials, 9)
    later = stands(experiment(trials, "random-0001"), trials, 99)

    assert list(changes(first, later)) == []


@given(text=st.text())
def test_whatever_a_trial_holds_a_line_is_one_line(text: str) -> None:
    choice = (Assignment(name="lr", value=text),)
    before = stands(experiment(), ())
    trials = (
        trial(0, value=text, assignments=choice),
        trial(1, FAILED, message=text, assignments=choice),
    )
    after = stands(experiment(trials, "random-0000"), trials)

    lines = [*changes(before, after), *closing(after)]

    assert all(line.isprintable() for line in lines)


def test_the_last_words_name_the_optimal_trial_and_what_went_wrong(golden: Golden) -> None:
    trials = mixed_fortunes()[:5]
    found = experiment(
        trials,
        "random-0001",
        outcome=ConditionType.SUCCEEDED,
        message="Experiment has succeeded because max trial count has reached",
    )

    golden(DATA / "closing.txt", "\n".join(closing(stands(found, trials), "random.html")) + "\n")


def test_a_cause_that_all_trials_share_is_shown_once(golden: Golden) -> None:
    trials = (
        *(trial(i, FAILED, message="there is no program 'pyton' here") for i in range(3)),
        *(trial(i, FAILED, message=f"exit status {i}") for i in range(3, 8)),
    )
    found = experiment(
        trials,
        outcome=FAILED,
        message="Experiment has failed because max failed count has reached",
    )

    golden(DATA / "closing-failed.txt", "\n".join(closing(stands(found, trials))) + "\n")


def test_an_interrupted_run_says_how_to_go_on() -> None:
    lines = list(closing(stands(experiment(), ()), "", Commands(again="trialwatch run e.yaml")))

    assert lines[1] == "experiment random was interrupted; to continue: trialwatch run e.yaml"
