"""Enqueued points are the first trials, with every algorithm, however many are asked for at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.names import ENQUEUE_ANNOTATION, ENQUEUED_LABEL, NUMBER_LABEL
from api.types import ConditionType, Experiment, Trial
from controller.reconcile.enqueued import count_to_ask, with_enqueued
from controller.reconcile.views import SuggestionReply
from suggestion.core.registry import BUILT_IN
from suggestion.core.search_task import search_task_of
from tests.suggestion.controller_requests import experiment, trial
from tests.suggestion.search_spaces import double, integer

SPACE = (double("lr", "0.1", "0.9", step="0.1"), integer("units", "1", "9"))
POINTS = "lr=0.2,units=3; units=7; lr=0.9,units=1"
SETTINGS = {
    "hyperband": {"r_l": "9", "resource_name": "units"},
    "pbt": {
        "suggestion_trial_dir": "/checkpoints",
        "n_population": "5",
        "truncation_threshold": "0.2",
    },
}
OF_PARAMETERS = [name for name in BUILT_IN if name not in {"enas", "darts"}]
"""The others search networks, which have no parameters to enqueue."""
TRIALS = 12


def enqueued(algorithm: str, text: str | None = POINTS) -> Experiment:
    made = experiment(
        algorithm, SPACE, {"random_state": "3", **SETTINGS.get(algorithm, {})}, most=40
    )
    spec = replace(made.spec, parallel_trial_count=9)
    annotations = {} if text is None else {ENQUEUE_ANNOTATION: text}
    return replace(made, spec=spec, metadata=replace(made.metadata, annotations=annotations))


def searched(asked: Experiment, at_once: int) -> list[Trial]:
    """Return the trials of a search; as many as are asked for at once run, then succeed."""
    task = search_task_of(asked.spec)
    trials: list[Trial] = []
    while len(trials) < TRIALS:
        begun = len(trials)
        while (missing := at_once - (len(trials) - begun)) > 0:
            number = len(trials)
            count = count_to_ask(asked, number, missing)
            proposal = task.propose(tuple(trials), number, count, 3)
            reply = with_enqueued(asked, SuggestionReply(trials=proposal.trials), number)
            assert len(reply.trials) == count
            for index, one in enumerate(reply.trials, number):
                made = trial(f"t-{index}", one.assignments, condition=ConditionType.RUNNING)
                labels = {**one.labels, NUMBER_LABEL: str(index)}
                trials.append(replace(made, spec=replace(made.spec, labels=labels)))
        trials[begun:] = [_ended(one) for one in trials[begun:]]
    return trials[:TRIALS]


def _ended(one: Trial) -> Trial:
    loss = sum(float(a.value) for a in one.spec.assignments)
    done = trial(one.metadata.name, one.spec.assignments, loss=str(loss))
    return replace(done, spec=one.spec)


def values(one: Trial) -> dict[str, str]:
    return {a.name: a.value for a in one.spec.assignments}


@pytest.mark.parametrize("algorithm", OF_PARAMETERS)
def test_the_first_trials_have_the_enqueued_values_and_the_search_goes_on(algorithm: str) -> None:
    trials = searched(enqueued(algorithm), 1)

    assert values(trials[0]) == {"lr": "0.2", "units": "3"}
    assert values(trials[1])["units"] == "7"
    assert values(trials[2]) == {"lr": "0.9", "units": "1"}
    assert [one.spec.labels.get(ENQUEUED_LABEL) for one in trials] == ["true"] * 3 + [None] * 9
    assert searched(enqueued(algorithm), 1) == trials


@pytest.mark.parametrize("algorithm", [name for name in OF_PARAMETERS if name not in SETTINGS])
def test_asking_for_several_gives_what_asking_for_one_gives(algorithm: str) -> None:
    task, asked = search_task_of(enqueued(algorithm).spec), enqueued(algorithm)
    at_once = [values(one) for one in searched(asked, 4)[:4]]

    one_by_one: list[Trial] = []
    for number in range(4):
        proposal = task.propose(tuple(one_by_one), number, 1, 3)
        reply = with_enqueued(asked, SuggestionReply(trials=proposal.trials), number)
        made = trial(f"t-{number}", reply.trials[0].assignments, condition=ConditionType.RUNNING)
        one_by_one.append(
            replace(made, spec=replace(made.spec, labels={NUMBER_LABEL: str(number)}))
        )

    assert at_once == [values(one) for one in one_by_one]


def test_a_grid_does_not_repeat_an_enqueued_combination() -> None:
    trials = searched(enqueued("grid", "lr=0.1,units=2; lr=0.1,units=1"), 3)

    assert len({tuple(values(one).items()) for one in trials}) == TRIALS


def test_without_the_annotation_nothing_changes() -> None:
    asked = enqueued("random", None)
    reply = SuggestionReply(trials=search_task_of(asked.spec).propose((), 0, 2, 3).trials)

    assert count_to_ask(asked, 0, 9) == 9
    assert with_enqueued(asked, reply, 0) is reply
