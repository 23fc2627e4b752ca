"""What is probably not meant, faults named by flags, and what to do after a search."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.errors import Fault
from api.objects.validation_update import MAX_TRIALS_REACHED
from api.types import (
    Assignment,
    Condition,
    ConditionStatus,
    Experiment,
    ExperimentStatus,
    Objective,
    ObjectiveType,
    OptimalTrial,
)
from tests.trialwatch.tuning.test_experiment import request
from trialwatch.tuning.doubts import doubts_about
from trialwatch.tuning.experiment import build_experiment
from trialwatch.tuning.next_steps import next_steps
from trialwatch.tuning.options import in_flags
from trialwatch.tuning.space import read_space


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault("spec.maxTrialCount", "is wrong"), "--trials: is wrong"),
        (Fault("spec.parameters[1].feasibleSpace.min", "is wrong"), "--param opt: is wrong"),
        (Fault("spec.algorithm.algorithmSettings[0].value", "is wrong"), "--algorithm: is wrong"),
        (
            Fault("spec.parameters", "differs; use another metadata.name"),
            "--param: differs; use another --name",
        ),
        (Fault("spec.other", "is wrong"), "spec.other: is wrong"),
    ],
)
def test_a_fault_names_the_flag_in_place_of_the_field(fault: Fault, line: str) -> None:
    assert in_flags([fault, fault], ["lr", "opt"]) == line


def test_zero_to_one_is_probably_not_meant_as_two_whole_numbers() -> None:
    spaces = {"dropout": read_space("0..1"), "p": read_space("0.0..1"), "n": read_space("0..2")}

    assert [*doubts_about(request("p", spaces=spaces))] == [
        (
            "--param dropout=0..1 has only the whole numbers 0 and 1; for fractions, write"
            " --param dropout=0.0..1"
        )
    ]


def test_a_loss_is_usually_minimized() -> None:
    objective = Objective(type=ObjectiveType.MAXIMIZE, metric="val_loss")

    assert [*doubts_about(request(objective=objective))] == [
        "val_loss sounds like a metric for --minimize, and the line has --maximize"
    ]


def test_two_variables_in_one_word_are_probably_not_meant() -> None:
    [doubt] = doubts_about(request('LR={lr} X="a b"', "./train"))

    assert doubt.startswith("the variable LR has the whole value '{lr} X=\"a b\"': write each")
    assert [*doubts_about(request("LR={lr}", "X=a b", "./train"))] == []


def ended(*words: str, algorithm: str = "tpe") -> Experiment:
    experiment = build_experiment(request(*words))
    spec = experiment.spec
    reached = Condition(
        type="Succeeded", status=ConditionStatus.TRUE, reason=MAX_TRIALS_REACHED, message=""
    )
    best = OptimalTrial(name="t", assignments=(Assignment(name="lr", value="0.25"),))
    assert spec.algorithm is not None
    return replace(
        experiment,
        spec=replace(spec, algorithm=replace(spec.algorithm, name=algorithm)),
        status=ExperimentStatus(conditions=(reached,), optimal_trial=best),
    )


def test_after_a_search_the_program_can_run_with_the_best_values() -> None:
    words = ("LR={lr}", "./train", "--lr={lr}", "a b")

    assert next_steps(ended(*words), request(*words).command, 20) == [
        "the program with these values:",
        "  LR=0.25 ./train --lr=0.25 'a b'",
        "to search on, write the same line with --trials 40",
        "for a cluster, write the same line with --save experiment.yaml",
    ]


def test_a_whole_space_is_not_searched_on() -> None:
    steps = next_steps(ended(algorithm="grid"), request().command, 20)

    assert not any("--trials" in step for step in steps)


def test_a_file_of_parameters_has_no_line_with_values() -> None:
    words = ("./train", "{params.json}")

    assert next_steps(ended(*words), request(*words).command, 20)[0].startswith("to search on")


def test_without_a_best_trial_nothing_follows() -> None:
    experiment = replace(ended(), status=ExperimentStatus())

    assert next_steps(experiment, request().command, 20) == []
