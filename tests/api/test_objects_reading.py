"""What a user is told about an object that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from api.errors import SpecError
from api.objects.experiments import parse_experiment
from api.objects.suggestions import parse_suggestion
from api.objects.trials import parse_trial

Document = dict[str, Any]


def complaints(document: object) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse_experiment(document)
    return [str(fault) for fault in caught.value.faults]


def complaint_of(document: object) -> str:
    (only,) = complaints(document)
    return only


def test_a_number_where_a_text_is_wanted_is_to_be_quoted(document: Document) -> None:
    document["spec"]["parameters"][0]["feasibleSpace"]["min"] = 0.01
    assert complaint_of(document) == (
        "spec.parameters[0].feasibleSpace.min: Invalid value: 0.01: must be a string, not a "
        'number; write it in quotes: "0.01"'
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            True,
            'true: YAML reads y, yes, on and true without quotes as true; write it in quotes, such as "y"',
        ),
        (
            False,
            'false: YAML reads n, no, off and false without quotes as false; write it in quotes, such as "n"',
        ),
    ],
)
def test_a_yes_or_no_where_a_text_is_wanted_is_explained(
    value: object, words: str, document: Document
) -> None:
    document["spec"]["parameters"][2]["feasibleSpace"]["list"] = ["a", value]
    assert complaint_of(document) == (
        f"spec.parameters[2].feasibleSpace.list[1]: Invalid value: {str(value).lower()}: must be a"
        f" string, not {words}"
    )


def test_a_slip_in_a_field_name_is_met_with_the_right_one(document: Document) -> None:
    document["spec"]["paralelTrialCount"] = document["spec"].pop("parallelTrialCount")
    assert complaint_of(document) == (
        "spec.paralelTrialCount: Invalid value: 3: unknown field; "
        'did you mean "parallelTrialCount"?'
    )


def test_a_strange_field_is_met_with_the_fields_there_are(document: Document) -> None:
    document["spec"]["algorithm"]["zzz"] = 1
    assert complaint_of(document) == (
        "spec.algorithm.zzz: Invalid value: 1: unknown field; "
        "known fields: algorithmName, algorithmSettings"
    )


def test_a_slip_in_a_word_is_met_with_the_right_one(document: Document) -> None:
    document["spec"]["objective"]["type"] = "maximise"
    assert complaint_of(document) == (
        'spec.objective.type: Invalid value: "maximise": is not supported; '
        'write one of: minimize, maximize; did you mean "maximize"?'
    )


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("3", "not a string; write it without quotes"),
        (3.0, "not a fraction; write 3, without a decimal point"),
        (2.5, "not a fraction; write digits only"),
        (
            True,
            "not true or false (in YAML, yes, no, on and off mean true or false); write digits only",
        ),
        ([], "not a list; write digits only"),
    ],
)
def test_a_count_is_a_whole_number(document: Document, value: object, remedy: str) -> None:
    document["spec"]["maxTrialCount"] = value
    (complaint,) = complaints(document)
    assert complaint.endswith(f"must be a whole number, {remedy}")


@pytest.mark.parametrize("value", [2**31, -(2**31), pytest.param(10**5000, id="huge")])
def test_a_count_has_32_bits(document: Document, value: int) -> None:
    document["spec"]["maxTrialCount"] = value
    (complaint,) = complaints(document)
    assert complaint.endswith("must be between -2147483647 and 2147483647")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), pytest.param(10**400, id="huge")])
def test_a_goal_is_a_finite_number(document: Document, value: float) -> None:
    document["spec"]["objective"]["goal"] = value
    (complaint,) = complaints(document)
    assert complaint.startswith("spec.objective.goal: ")
    assert "finite" in complaint


def test_a_mapping_where_a_list_belongs_gets_a_hint_at_the_dash(document: Document) -> None:
    document["spec"]["parameters"] = {"name": "lr"}
    assert complaint_of(document) == (
        "spec.parameters: Invalid value: a mapping with 1 key: must be a list, not a mapping; "
        "put `- ` before each item"
    )


def test_an_empty_item_is_to_be_deleted(document: Document) -> None:
    document["spec"]["parameters"].append(None)
    (complaint,) = complaints(document)
    assert complaint == (
        "spec.parameters[3]: Invalid value: null: must be a mapping; delete the empty item"
    )


def test_a_label_that_is_no_text_is_named_as_kubectl_names_it(document: Document) -> None:
    document["metadata"]["labels"] = {"example.com/team": 7}
    (complaint,) = complaints(document)
    assert complaint.startswith("metadata.labels[example.com/team]: Invalid value: 7: ")


def test_all_faults_come_at_once_and_in_the_order_of_the_fields(document: Document) -> None:
    document["kind"] = "Experimnt"
    document["spec"]["objective"]["goal"] = "high"
    document["spec"]["parameters"][1]["parameterType"] = "integer"
    document["spec"]["trialTemplate"]["retain"] = "yes"
    assert [complaint.split(":")[0] for complaint in complaints(document)] == [
        "kind",
        "spec.parameters[1].parameterType",
        "spec.objective.goal",
        "spec.trialTemplate.retain",
    ]


@pytest.mark.parametrize("value", [None, 1, "text", [], True, 1.5])
def test_what_is_no_mapping_is_no_object(value: object) -> None:
    (complaint,) = complaints(value)
    assert complaint.startswith("document: ")
    assert "must be a mapping" in complaint


def test_an_object_of_another_version_is_refused(document: Document) -> None:
    document["apiVersion"] = "kubeflow.org/v1alpha3"
    assert complaints(document) == [
        'apiVersion: Invalid value: "kubeflow.org/v1alpha3": must be kubeflow.org/v1beta1'
    ]


def test_an_experiment_needs_a_spec() -> None:
    document = {"apiVersion": "kubeflow.org/v1beta1", "kind": "Experiment"}
    assert complaints(document) == ["spec: Required value: must be specified"]


def test_a_long_text_is_repeated_in_part(document: Document) -> None:
    document["spec"]["resumePolicy"] = "x" * 1_000_000
    (complaint,) = complaints(document)
    assert len(complaint) < 250


def test_control_characters_do_not_reach_the_terminal(document: Document) -> None:
    document["spec"]["resumePolicy"] = "\x1b[31mred"
    (complaint,) = complaints(document)
    assert "\x1b" not in complaint
    assert "\\x1b[31mred" in complaint


def test_thousands_of_unknown_fields_are_counted_and_not_listed(document: Document) -> None:
    document["spec"] |= {f"unknown{i}": i for i in range(50_000)}
    listed = complaints(document)
    assert len(listed) == 21
    assert "50000 unknown fields" in listed[-1]


def test_metadata_and_status_have_room_for_what_we_do_not_know(document: Document) -> None:
    document["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    document["status"] = {"trials": 2, "weather": "fine", "conditions": [{"type": "New", "x": 1}]}
    experiment = parse_experiment(document)
    assert experiment.status.trials == 2
    assert experiment.status.conditions[0].type == "New"


def test_an_object_from_a_cluster_may_have_fields_of_a_newer_version(document: Document) -> None:
    document["spec"]["invented"] = {"later": True}
    assert parse_experiment(document, unknown_fields=False).spec.max_trial_count == 12


def test_a_fault_in_a_known_field_is_one_even_where_unknown_fields_are_not(
    document: Document,
) -> None:
    document["spec"] |= {"invented": 1, "maxTrialCount": "many"}
    with pytest.raises(SpecError) as caught:
        parse_experiment(document, unknown_fields=False)
    assert [fault.path for fault in caught.value.faults] == ["spec.maxTrialCount"]


def test_null_means_left_out(document: Document) -> None:
    document["spec"] |= {"nasConfig": None, "resumePolicy": None, "maxFailedTrialCount": None}
    document["metadata"] |= {"labels": None, "creationTimestamp": None}
    document["status"] = None
    spec = parse_experiment(document).spec
    assert (spec.nas_config, spec.resume_policy, spec.max_failed_trial_count) == (None, None, None)


def test_a_count_of_zero_is_not_left_out(document: Document) -> None:
    document["spec"] |= {"maxFailedTrialCount": 0}
    assert parse_experiment(document).spec.max_failed_trial_count == 0


def test_a_stop_rule_must_say_how_to_compare() -> None:
    rules = [{"name": "loss", "value": "0.5"}]
    trial = {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "spec": {"earlyStoppingRules": rules},
    }
    with pytest.raises(SpecError, match=r"earlyStoppingRules\[0\].comparison: Required value"):
        parse_trial(trial)


@pytest.mark.parametrize("parse", [parse_trial, parse_suggestion])
def test_an_experiment_is_neither_a_trial_nor_a_suggestion(
    document: Document, parse: Callable[[object], object]
) -> None:
    with pytest.raises(SpecError, match='kind: Invalid value: "Experiment": must be'):
        parse(document)
