"""Faults of `spec.nasConfig`, each with its field's path and the first words of Katib's services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from api.objects.experiments import parse_experiment
from api.objects.validation import faults_of
from tests.webhook.experiments.experiment_documents import experiment

Document = dict[str, Any]
GRAPH = "spec.nasConfig.graphConfig"
FIRST = "spec.nasConfig.operations[0]"
FILTERS = f"{FIRST}.parameters[0]"
SPACE = f"{FILTERS}.feasibleSpace"


def searched(algorithm: str = "enas") -> Document:
    document = experiment()
    spec = document["spec"]
    del spec["parameters"]
    spec["algorithm"] = {"algorithmName": algorithm}
    spec["nasConfig"] = {
        "graphConfig": {"numLayers": 2, "inputSizes": [8, 8, 1], "outputSizes": [10]},
        "operations": [
            {
                "operationType": "convolution",
                "parameters": [
                    {
                        "name": "filter_size",
                        "parameterType": "categorical",
                        "feasibleSpace": {"list": ["3", "5"]},
                    }
                ],
            },
            {"operationType": "skip_connection"},
        ],
    }
    outputs = {"enas": "architecture", "darts": "search-space"}
    for parameter in spec["trialTemplate"]["trialParameters"]:
        parameter["reference"] = outputs.pop(algorithm, "num-layers")
        algorithm = "darts" if algorithm == "darts" else ""
    spec["trialTemplate"]["trialParameters"][-1]["reference"] = (
        "nn_config" if "enas" in str(spec["algorithm"]) else "num-layers"
    )
    return document


def faults(document: Document) -> list[str]:
    return [
        str(fault)
        for fault in faults_of(parse_experiment(document), check_filter=lambda _: None)
        if fault.path.startswith("spec.nasConfig")
    ]


def graph(**changes: object) -> Callable[[Document], None]:
    return lambda spec: spec["nasConfig"]["graphConfig"].update(changes)


def operation(**changes: object) -> Callable[[Document], None]:
    return lambda spec: spec["nasConfig"]["operations"][0].update(changes)


def parameter(**changes: object) -> Callable[[Document], None]:
    return lambda spec: spec["nasConfig"]["operations"][0]["parameters"][0].update(changes)


def space(kind: str, **bounds: str) -> Callable[[Document], None]:
    return parameter(parameterType=kind, feasibleSpace=bounds)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (graph(inputSizes=[]), f"{GRAPH}.inputSizes: Required value: Missing InputSizes in GraphConfig: write"),
        (graph(outputSizes=[]), f"{GRAPH}.outputSizes: Required value: Missing OutputSizes in GraphConfig: write"),
        (graph(numLayers=None), f"{GRAPH}.numLayers: Required value: Missing NumLayers in GraphConfig: write"),
        (graph(numLayers=0), f"{GRAPH}.numLayers: Required value: Missing NumLayers in GraphConfig: write"),
        (graph(numLayers=101), f"{GRAPH}.numLayers: Invalid value: 101: must be from 1 to 100"),
        (graph(inputSizes=[8, 0]), f"{GRAPH}.inputSizes[1]: Invalid value: 0: must be 1 or more"),
        (operation(operationType=""), f"{FIRST}.operationType: Required value: Missing operationType in Operation: write"),
        (operation(operationType="it's"), f'{FIRST}.operationType: Invalid value: "it\'s": must not contain quotes'),
        (operation(parameters=[]), f"{FIRST}.parameters: Required value: Missing ParameterConfigs in Operation: write"),
        (parameter(name=""), f"{FILTERS}.name: Required value: Missing Name in ParameterConfig: write"),
        (parameter(parameterType=""), f"{FILTERS}.parameterType: Required value: Missing ParameterType in ParameterConfig: write"),
        (parameter(feasibleSpace={}), f"{SPACE}.list: Required value: Missing List in ParameterConfig.feasibleSpace: write"),
        (space("int"), f"{SPACE}.max: Required value: Missing Max and Min in ParameterConfig.feasibleSpace: write"),
        (space("double", min="0", max="1"), f'{SPACE}.step: Invalid value: "": Step parameter should be > 0 in ParameterConfig.feasibleSpace'),
        (space("double", min="0", max="1", step="0"), f'{SPACE}.step: Invalid value: "0": Step parameter should be > 0 in ParameterConfig.feasibleSpace'),
        (space("double", min="0", max="1", step="x"), f'{SPACE}.step: Invalid value: "x": Step parameter should be > 0'),
        (space("int", min="3", max="2"), f'{SPACE}.min: Invalid value: "3": must not be greater than max'),
        (lambda spec: spec["nasConfig"].pop("operations"), "spec.nasConfig.operations: Required value: must have an operation"),
    ],
)  # fmt: skip
def test_a_fault_of_the_networks(change: Callable[[Document], object], fault: str) -> None:
    document = searched()
    change(document["spec"])
    (found,) = faults(document)

    assert found.startswith(fault)


@pytest.mark.parametrize("algorithm", ["enas", "darts"])
def test_networks_in_order(algorithm: str) -> None:
    assert faults(searched(algorithm)) == []


def test_darts_needs_no_sizes() -> None:
    document = searched("darts")
    del document["spec"]["nasConfig"]["graphConfig"]["inputSizes"]

    assert faults(document) == []


def test_two_parameters_of_one_operation_with_the_same_name() -> None:
    document = searched()
    parameters = document["spec"]["nasConfig"]["operations"][0]["parameters"]
    parameters.append(dict(parameters[0]))

    (found,) = faults(document)
    assert found.startswith(f'{FIRST}.parameters[1].name: Invalid value: "filter_size": is also')


def test_networks_for_another_service_are_not_checked() -> None:
    document = searched()
    document["spec"]["algorithm"]["algorithmName"] = "own-service"
    document["spec"]["nasConfig"] = {"graphConfig": {}}

    assert faults(document) == []


def test_a_reference_to_what_the_search_does_not_suggest() -> None:
    document = searched()
    document["spec"]["trialTemplate"]["trialParameters"][0]["reference"] = "architectur"
    found = [
        str(fault) for fault in faults_of(parse_experiment(document), check_filter=lambda _: None)
    ]

    assert (
        'spec.trialTemplate.trialParameters[0].reference: Invalid value: "architectur": parameter'
        " reference architectur does not exist in what enas suggests: architecture, nn_config;"
        ' did you mean "architecture"?'
    ) in found
