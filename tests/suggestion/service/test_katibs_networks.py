"""Requests to `enas` and `darts` as the unit tests of Katib's services send them."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

from api.v1beta1 import api_pb2 as pb
from tests.suggestion.suggestion_server import serving

ACCURACY = pb.ObjectiveSpec(
    type=pb.MAXIMIZE, goal=0.99, objective_metric_name="Validation-Accuracy"
)


def listed(name: str, *texts: str) -> pb.ParameterSpec:
    space = pb.FeasibleSpace(list=texts)
    return pb.ParameterSpec(name=name, parameter_type=pb.CATEGORICAL, feasible_space=space)


def operation(kind: str, *parameters: pb.ParameterSpec) -> pb.Operation:
    return pb.Operation(
        operation_type=kind, parameter_specs=pb.Operation.ParameterSpecs(parameters=parameters)
    )


POOL_SIZE = pb.ParameterSpec(
    name="pool_size",
    parameter_type=pb.INT,
    feasible_space=pb.FeasibleSpace(min="2", max="3", step="1"),
)
OPERATIONS = (
    operation(
        "convolution",
        listed("filter_size", "5"),
        listed("num_filter", "128"),
        listed("stride", "1", "2"),
    ),
    operation("reduction", listed("reduction_type", "max_pooling"), POOL_SIZE),
)


def spec(
    algorithm: str,
    settings: dict[str, str],
    *operations: pb.Operation,
    **graph: Any,  # noqa: ANN401 - of the message
) -> pb.ExperimentSpec:
    own = [pb.AlgorithmSetting(name=name, value=value) for name, value in settings.items()]
    return pb.ExperimentSpec(
        algorithm=pb.AlgorithmSpec(algorithm_name=algorithm, algorithm_settings=own),
        objective=ACCURACY,
        nas_config=pb.NasConfig(
            graph_config=pb.GraphConfig(**graph),
            operations=pb.NasConfig.Operations(operation=operations),
        ),
    )


ENAS = spec("enas", {}, *OPERATIONS, num_layers=4, input_sizes=[32, 32, 8], output_sizes=[10])


def trained(name: str, architecture: str, accuracy: str) -> pb.Trial:
    trial = pb.Trial(name=name)
    trial.spec.objective.CopyFrom(ACCURACY)
    for parameter, value in {"architecture": architecture, "nn_config": "{}"}.items():
        trial.spec.parameter_assignments.assignments.add(name=parameter, value=value)
    trial.status.condition = pb.TrialStatus.SUCCEEDED
    trial.status.observation.metrics.add(name="Validation-Accuracy", value=accuracy)
    return trial


def read(text: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text.replace("'", '"'))


async def asked(wanted: pb.ExperimentSpec, *trials: pb.Trial, count: int) -> list[dict[str, str]]:
    request = pb.GetSuggestionsRequest(
        experiment=pb.Experiment(name="networks", spec=wanted),
        trials=trials,
        current_request_number=count,
    )
    async with serving() as client:
        reply = await client.suggestion.GetSuggestions(request)
    return [
        {one.name: one.value for one in point.assignments} for point in reply.parameter_assignments
    ]


async def validated(wanted: pb.ExperimentSpec) -> tuple[grpc.StatusCode, str]:
    request = pb.ValidateAlgorithmSettingsRequest(
        experiment=pb.Experiment(name="networks", spec=wanted)
    )
    async with serving() as client:
        try:
            await client.suggestion.ValidateAlgorithmSettings(request)
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


async def test_katibs_own_request_to_enas() -> None:
    points = await asked(
        ENAS,
        trained("first-trial", "[[3], [0, 1], [0, 0, 1], [2, 1, 0, 0]]", "0.88"),
        trained("second-trial", "[[1], [0, 1], [2, 1, 1], [2, 1, 1, 0]]", "0.84"),
        count=2,
    )

    assert len(points) == 2
    for point in points:
        assert [len(layer) for layer in read(point["architecture"])] == [1, 2, 3, 4]
        config = read(point["nn_config"])
        assert (config["num_layers"], config["input_sizes"]) == (4, [32, 32, 8])
        assert {one["opt_type"] for one in config["embedding"].values()} <= {
            "convolution",
            "reduction",
        }


async def test_enas_without_a_trial_that_succeeded() -> None:
    failed = trained("first-trial", "[[3], [0, 1], [0, 0, 1], [2, 1, 0, 0]]", "0")
    failed.status.condition = pb.TrialStatus.FAILED

    assert len(await asked(ENAS, failed, count=3)) == 3


async def test_katibs_own_request_to_darts() -> None:
    """Its setting is misspelt, and passed on."""
    separable = operation("separable_convolution", listed("filter_size", "3", "5"))
    (point,) = await asked(spec("darts", {"num_epoch": "10"}, separable, num_layers=3), count=1)

    settings = read(point["algorithm-settings"])
    assert (settings["num_epoch"], settings["num_epochs"]) == ("10", 50)
    assert read(point["search-space"]) == [
        "separable_convolution_3x3",
        "separable_convolution_5x5",
    ]
    assert point["num-layers"] == "3"


async def test_darts_can_be_asked_again_and_again() -> None:
    separable = operation("separable_convolution", listed("filter_size", "3", "5"))
    wanted = spec("darts", {}, separable, num_layers=3)

    assert await asked(wanted, count=2) == await asked(wanted, count=2)


UNNAMED = pb.ParameterSpec(
    parameter_type=pb.CATEGORICAL, feasible_space=pb.FeasibleSpace(list=["3"])
)
UNTYPED = pb.ParameterSpec(name="filter_size", feasible_space=pb.FeasibleSpace(list=["3"]))
UNBOUNDED = pb.ParameterSpec(name="rate", parameter_type=pb.INT)
WITHOUT_STEP = pb.ParameterSpec(
    name="rate", parameter_type=pb.DOUBLE, feasible_space=pb.FeasibleSpace(min="0", max="1")
)
SIZES = {"num_layers": 4, "input_sizes": [8, 8, 1], "output_sizes": [10]}


def conv(parameter: pb.ParameterSpec) -> pb.ExperimentSpec:
    return spec("enas", {}, operation("convolution", parameter), **SIZES)


REFUSED = {
    "Missing InputSizes in GraphConfig:": spec("enas", {}, *OPERATIONS, num_layers=4, output_sizes=[1]),
    "Missing OutputSizes in GraphConfig:": spec("enas", {}, *OPERATIONS, num_layers=4, input_sizes=[1]),
    "Missing NumLayers in GraphConfig:": spec("enas", {}, *OPERATIONS, input_sizes=[1], output_sizes=[1]),
    "Missing operationType in Operation:": spec("enas", {}, operation("", listed("a", "3")), **SIZES),
    "Missing ParameterConfigs in Operation:": spec("darts", {}, operation("convolution"), num_layers=1),
    "Missing Name in ParameterConfig:": conv(UNNAMED),
    "Missing ParameterType in ParameterConfig:": conv(UNTYPED),
    "Missing List in ParameterConfig.feasibleSpace:": conv(listed("filter_size")),
    "Missing Max and Min in ParameterConfig.feasibleSpace:": conv(UNBOUNDED),
    "Step parameter should be > 0 in ParameterConfig.feasibleSpace:": conv(WITHOUT_STEP),
    "Unknown Algorithm Setting name: wheels": spec("enas", {"wheels": "4"}, *OPERATIONS, **SIZES),
    "Algorithm Setting controller_hidden_size must be int type: ": spec("enas", {"controller_hidden_size": "x"}, *OPERATIONS, **SIZES),
    "num_epochs should be greater than zero": spec("darts", {"num_epochs": "0"}, *OPERATIONS, num_layers=1),
}  # fmt: skip


@pytest.mark.parametrize("start", REFUSED)
async def test_a_refusal_begins_with_katibs_sentence(start: str) -> None:
    code, details = await validated(REFUSED[start])

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith(start)


async def test_settings_alone_are_checked_without_networks() -> None:
    alone = pb.ExperimentSpec(
        algorithm=pb.AlgorithmSpec(
            algorithm_name="darts",
            algorithm_settings=[pb.AlgorithmSetting(name="batch_size", value="None")],
        )
    )

    assert await validated(alone) == (grpc.StatusCode.OK, "")
