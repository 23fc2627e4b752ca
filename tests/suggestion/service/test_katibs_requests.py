"""Requests as the unit tests of Katib's suggestion services send them.

They have less than the requests of a controller: no objective, or one without a metric, no
parameters, or an int whose step is not whole. Their answers are compared with the start of trialwatch's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest

from api.names import GENERATION_LABEL, PARENT_LABEL
from api.v1beta1 import api_pb2 as pb
from tests.suggestion.suggestion_server import serving

Settings = Mapping[str, str]


def parameter(name: str, kind: int, *list_: str, **space: Any) -> pb.ParameterSpec:  # noqa: ANN401 - texts and a distribution
    feasible = pb.FeasibleSpace(list=list_, **space)
    return pb.ParameterSpec(name=name, parameter_type=kind, feasible_space=feasible)  # type: ignore[arg-type]


def spec(
    algorithm: str,
    settings: Settings,
    *parameters: pb.ParameterSpec,
    **more: Any,  # noqa: ANN401 - of the message
) -> pb.ExperimentSpec:
    own = [pb.AlgorithmSetting(name=name, value=value) for name, value in settings.items()]
    space = pb.ExperimentSpec.ParameterSpecs(parameters=parameters)
    named = pb.AlgorithmSpec(algorithm_name=algorithm, algorithm_settings=own)
    return pb.ExperimentSpec(algorithm=named, parameter_specs=space, **more)


def whole(name: str, low: int, high: int, **space: Any) -> pb.ParameterSpec:  # noqa: ANN401 - of the space
    return parameter(name, pb.INT, min=str(low), max=str(high), **space)


def real(name: str, low: int, high: int, **space: Any) -> pb.ParameterSpec:  # noqa: ANN401 - of the space
    return parameter(name, pb.DOUBLE, min=str(low), max=str(high), **space)


CHOICE = parameter("c", pb.CATEGORICAL, "cat1", "cat2", "cat3")
NUMBERS = parameter("d", pb.DISCRETE, "3", "2", "6")
SHAPES = (pb.UNIFORM, pb.LOG_UNIFORM, pb.NORMAL, pb.LOG_NORMAL)
EVERYTHING = (
    whole("a", 1, 5),
    CHOICE,
    NUMBERS,
    real("e", 1, 5),
    *(real(f"e{shape}", 5, 10, distribution=shape) for shape in SHAPES),
    *(real(f"f{shape}", 5, 10, step="0.8", distribution=shape) for shape in SHAPES),
    *(whole(f"g{shape}", 5, 100, distribution=shape) for shape in SHAPES),
    *(whole(f"h{shape}", 32, 64, step="0.01", distribution=shape) for shape in SHAPES),
    real("i", 32, 64, step="0.01"),
    whole("j", 32, 64, step="0.01"),
    whole("k", 1, 5, step="0.8"),
)
SOME = (whole("a", 1, 5), CHOICE, NUMBERS, real("e", 1, 5, step="1"), whole("k", 1, 5, step="2"))
TWO = (whole("a", 1, 5), whole("b", 9, 10))
HYPEROPT = {"random_state": "10", "gamma": "0.25", "prior_weight": "1.0", "n_EI_candidates": "24"}
OPTUNA = {"n_startup_trials": "20", "n_ei_candidates": "10", "random_state": "71"}
SKOPT = {
    "base_estimator": "GP",
    "n_initial_points": "10",
    "acq_func": "gp_hedge",
    "acq_optimizer": "auto",
    "random_state": "10",
}
PBT = {
    "suggestion_trial_dir": "/var/log/katib/checkpoints/",
    "n_population": "40",
    "truncation_threshold": "0.2",
}
HYPERBAND = {"r_l": "9", "resource_name": "a"}
SEARCHES = [
    ("tpe", HYPEROPT, EVERYTHING),
    ("tpe", OPTUNA, SOME),
    ("multivariate-tpe", OPTUNA, SOME),
    ("cmaes", {"restart_strategy": "ipop", "sigma": "2", "random_state": "71"}, SOME),
    ("random", {"random_state": "71"}, SOME),
    ("bayesianoptimization", SKOPT, (whole("a", 1, 5), CHOICE, NUMBERS, real("e", 1, 5))),
]


@pytest.mark.parametrize(("algorithm", "settings", "parameters"), SEARCHES)
async def test_a_search_whose_metric_only_its_trials_name(
    algorithm: str, settings: Settings, parameters: tuple[pb.ParameterSpec, ...]
) -> None:
    unnamed = pb.ObjectiveSpec(type=pb.MAXIMIZE, goal=0.9)
    asked = pb.Experiment(
        name="test", spec=spec(algorithm, settings, *parameters, objective=unnamed)
    )
    async with serving() as client:
        first = await client.suggestion.GetSuggestions(
            pb.GetSuggestionsRequest(experiment=asked, current_request_number=2)
        )
        values = ("5643", "3028")
        trials = [
            measured(f"test-{number}", reply.assignments, values[number])
            for number, reply in enumerate(first.parameter_assignments)
        ]
        second = await client.suggestion.GetSuggestions(
            pb.GetSuggestionsRequest(experiment=asked, trials=trials, current_request_number=2)
        )

    assert len(first.parameter_assignments) == len(second.parameter_assignments) == 2
    for reply in (*first.parameter_assignments, *second.parameter_assignments):
        assert {one.name for one in reply.assignments} == {one.name for one in parameters}


def measured(name: str, assignments: Any, value: str) -> pb.Trial:  # noqa: ANN401 - of the message
    objective = pb.ObjectiveSpec(type=pb.MAXIMIZE, objective_metric_name="metric-2", goal=0.9)
    given = pb.TrialSpec.ParameterAssignments(assignments=assignments)
    metrics = [pb.Metric(name="metric-1", value="435"), pb.Metric(name="metric-2", value=value)]
    status = pb.TrialStatus(
        condition=pb.TrialStatus.TrialConditionType.SUCCEEDED,
        observation=pb.Observation(metrics=metrics),
    )
    own = pb.TrialSpec(objective=objective, parameter_assignments=given)
    return pb.Trial(name=name, spec=own, status=status)


ACCEPTED = [
    spec("tpe", HYPEROPT),
    spec("tpe", OPTUNA, max_trial_count=100),
    spec("multivariate-tpe", OPTUNA, max_trial_count=100),
    spec("cmaes", {"restart_strategy": "ipop", "sigma": "0.1", "random_state": "10"}, *TWO),
    spec("random", {"random_state": "10"}, *TWO, max_trial_count=23),
    spec("grid", {"random_state": "10"}, whole("a", 1, 5), max_trial_count=5),
    spec("bayesianoptimization", SKOPT),
    spec("hyperband", HYPERBAND, *TWO, parallel_trial_count=9),
    spec("pbt", PBT, real("lr", 1, 2, step="0.1")),
    spec("pbt", PBT | {"resample_probability": "0.25"}, *TWO),
    spec("hyperband", HYPERBAND | {"eta": "-1"}, *TWO, parallel_trial_count=9),
    spec("hyperband", HYPERBAND | {"eta": "10"}, *TWO, parallel_trial_count=1),
    spec("hyperband", HYPERBAND | {"current_s": "2", "n": "9"}, *TWO, parallel_trial_count=9),
]


@pytest.mark.parametrize("accepted", ACCEPTED, ids=lambda one: str(one.algorithm.algorithm_name))
async def test_settings_are_accepted_without_an_objective(accepted: pb.ExperimentSpec) -> None:
    assert await validated(accepted) == (grpc.StatusCode.OK, "")


REFUSED: list[tuple[pb.ExperimentSpec, str]] = [
    (
        spec("pbt", {"n_population": "40"}, *TWO),
        "Required params missing: suggestion_trial_dir, truncation_threshold",
    ),
    (spec("pbt", PBT | {"n_population": "4"}, *TWO), "Param(n_population) should be >= 5"),
    (
        spec("pbt", PBT | {"truncation_threshold": "2"}, *TWO),
        "Param(truncation_threshold) should be between 0 and 1, inclusive",
    ),
    (
        spec("pbt", PBT | {"resample_probability": "1.5"}, *TWO),
        "Param(resample_probability) should be null to perturb at 0.8 or 1.2, or be between 0",
    ),
    (spec("hyperband", {"r_l": "9"}, *TWO), "r_l and resource_name must be set."),
    (spec("hyperband", {"resource_name": "a"}, *TWO), "r_l and resource_name must be set."),
    (spec("hyperband", HYPERBAND | {"r_l": "abc"}, *TWO), "r_l must be a positive float number."),
    (spec("hyperband", HYPERBAND | {"r_l": "-1"}, *TWO), "r_l must be a positive float number."),
    (
        spec("hyperband", HYPERBAND, *TWO, parallel_trial_count=8),
        "parallelTrialCount must be not less than 9.",
    ),
    (
        spec("hyperband", HYPERBAND | {"resource_name": "x"}, *TWO, parallel_trial_count=9),
        "value of resource_name setting must be in parameters.",
    ),
    (spec("unknown", {}), "unknown algorithm name unknown"),
    (spec("random", {"unknown_conf": "1111"}), "unknown setting unknown_conf for algorithm random"),
    (spec("tpe", {"gamma": "1.5"}), "gamma should be in the range of (0, 1)"),
    (spec("tpe", {"n_EI_candidates": "0"}), "n_EI_candidates should be great than zero"),
    (spec("tpe", {"random_state": "-1"}), "random_state should be great or equal than zero"),
    (spec("tpe", {"prior_weight": "aaa"}), "failed to validate prior_weight(aaa)"),
    (spec("tpe", {"invalid": "5"}), "unknown setting invalid for algorithm tpe"),
    (spec("tpe", {"n_startup_trials": "-1"}), "n_startup_trials should be"),
    (spec("tpe", {"n_ei_candidate": "-1"}), "unknown setting n_ei_candidate for algorithm tpe"),
    (spec("cmaes", {"invalid": "x", "sigma": "0.1"}, *TWO), "unknown setting invalid for"),
    (
        spec("cmaes", {"restart_strategy": "invalid", "sigma": "0.1"}, *TWO),
        "restart_strategy invalid is not supported in CMAES optimization",
    ),
    (
        spec("cmaes", {"restart_strategy": "None", "sigma": "-10"}, *TWO),
        "sigma should be greate or equal than zero",
    ),
    (
        spec("cmaes", {"sigma": "0.2", "random_state": "-20"}, *TWO),
        "random_state should be greate or equal than zero",
    ),
    (spec("cmaes", {"sigma": "0.2"}, whole("a", 1, 5)), "spec.parameters: Invalid value"),
    (spec("random", {"invalid": "invalid"}), "unknown setting invalid for algorithm random"),
    (spec("random", {"random_state": "-1"}), "random_state should be"),
    (spec("grid", {"invalid": "invalid"}), "unknown setting invalid for algorithm grid"),
    (spec("grid", {"random_state": "-1"}), "random_state should be"),
    (spec("grid", {"random_state": "1"}, real("a", 1, 5), max_trial_count=26), "spec."),
    (
        spec("grid", {}, whole("a", 1, 5), real("b", 1, 5, step="1"), max_trial_count=26),
        "spec.maxTrialCount",
    ),
    (
        spec("bayesianoptimization", {"unknown_conf": "1111"}),
        "unknown setting unknown_conf for algorithm bayesianoptimization",
    ),
    *(
        (
            spec("bayesianoptimization", {name: "unknown"}),
            f"{name} unknown is not supported in Bayesian optimization",
        )
        for name in ("base_estimator", "acq_func", "acq_optimizer")
    ),
    *(
        (
            spec("bayesianoptimization", {name: "-1"}),
            f"{name} should be great or equal than zero",
        )
        for name in ("n_initial_points", "random_state")
    ),
]


@pytest.mark.parametrize(("refused", "start"), REFUSED, ids=[start for _, start in REFUSED])
async def test_a_refusal_begins_with_katibs_sentence(
    refused: pb.ExperimentSpec, start: str
) -> None:
    code, details = await validated(refused)

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith(start)


async def test_katibs_own_request_to_hyperband() -> None:
    """Its resource is not among its parameters, and its trials have no condition."""
    settings = {"r_l": "10", "resource_name": "--num-epochs"}
    parameters = (whole("param-1", 1, 5), CHOICE, NUMBERS, real("param-4", 1, 5))
    wanted = spec("hyperband", settings, *parameters, objective=pb.ObjectiveSpec(type=pb.MAXIMIZE))
    request = pb.GetSuggestionsRequest(
        experiment=pb.Experiment(name="test", spec=wanted),
        trials=[pb.Trial(name="test-asfjh"), pb.Trial(name="test-234hs")],
        current_request_number=2,
    )
    for trial in request.trials:
        trial.spec.objective.CopyFrom(
            pb.ObjectiveSpec(type=pb.MAXIMIZE, objective_metric_name="metric-2", goal=0.9)
        )
        for name, value in {"param-1": "2", "c": "cat1", "d": "2", "param-4": "3.44"}.items():
            trial.spec.parameter_assignments.assignments.add(name=name, value=value)
    async with serving() as client:
        reply = await client.suggestion.GetSuggestions(request)

    assert len(reply.parameter_assignments) == 2
    state = {one.name: one.value for one in reply.algorithm.algorithm_settings}
    assert state["current_s"] == "2"
    assert state["resource_name"] == "--num-epochs"


async def test_hyperband_takes_the_settings_that_it_returned() -> None:
    settings = {"r_l": "9", "resource_name": "a", "eta": "3"}
    parameters = (whole("a", 1, 9), real("e", 1, 5))
    objective = pb.ObjectiveSpec(type=pb.MINIMIZE, objective_metric_name="metric-2")
    async with serving() as client:
        request = pb.GetSuggestionsRequest(
            experiment=pb.Experiment(
                name="test",
                spec=spec("hyperband", settings, *parameters, objective=objective),
            ),
            current_request_number=9,
            total_request_number=9,
        )
        first = await client.suggestion.GetSuggestions(request)
        state = {one.name: one.value for one in first.algorithm.algorithm_settings}
        request.experiment.spec.CopyFrom(
            spec("hyperband", settings | state, *parameters, objective=objective)
        )
        request.trials.extend(
            measured(f"test-{number}", one.assignments, str(number))
            for number, one in enumerate(first.parameter_assignments)
        )
        request.current_request_number, request.total_request_number = 3, 12
        second = await client.suggestion.GetSuggestions(request)

    assert (state["n"], state["evaluating_trials"], state["current_i"]) == ("9", "9", "0")
    chosen = [
        {one.name: one.value for one in reply.assignments}
        for reply in (*first.parameter_assignments, *second.parameter_assignments)
    ]
    assert [one["a"] for one in chosen] == ["1"] * 9 + ["3"] * 3
    assert {one["e"] for one in chosen[9:]} <= {one["e"] for one in chosen[:9]}


async def test_pbt_returns_names_and_labels_and_makes_a_directory_for_each_trial(
    tmp_path: Path,
) -> None:
    wanted = spec(
        "pbt",
        PBT | {"n_population": "5"},
        real("lr", 1, 2, step="0.1"),
        objective=pb.ObjectiveSpec(type=pb.MAXIMIZE, objective_metric_name="metric-2"),
    )
    request = pb.GetSuggestionsRequest(
        experiment=pb.Experiment(name="test", spec=wanted),
        current_request_number=5,
        total_request_number=5,
    )
    async with serving(checkpoints=tmp_path) as client:
        first = await client.suggestion.GetSuggestions(request)
        (state,) = first.algorithm.algorithm_settings
        request.experiment.spec.algorithm.algorithm_settings.append(state)
        for number, one in enumerate(first.parameter_assignments):
            trial = measured(one.trial_name, one.assignments, str(number))
            trial.spec.labels.update(one.labels)
            (tmp_path / "test" / one.trial_name / "weights").write_text(one.trial_name)
            request.trials.append(trial)
        request.current_request_number, request.total_request_number = 2, 7
        second = await client.suggestion.GetSuggestions(request)
        again = await client.suggestion.GetSuggestions(request)

    assert again == second
    assert [dict(one.labels) for one in first.parameter_assignments] == [
        {GENERATION_LABEL: "0"}
    ] * 5
    for one in second.parameter_assignments:
        assert one.labels[GENERATION_LABEL] == "1"
        assert one.trial_name.startswith("test-")
        copied = (tmp_path / "test" / one.trial_name / "weights").read_text()
        assert copied == one.labels[PARENT_LABEL]


async def test_pbt_without_a_volume_says_what_to_configure() -> None:
    request = pb.GetSuggestionsRequest(
        experiment=pb.Experiment(name="test", spec=spec("pbt", PBT, *TWO)),
        current_request_number=1,
    )
    async with serving() as client:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client.suggestion.GetSuggestions(request)

    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "list the algorithm in katib-config" in str(refused.value.details())


async def validated(wanted: pb.ExperimentSpec) -> tuple[grpc.StatusCode, str]:
    request = pb.ValidateAlgorithmSettingsRequest(
        experiment=pb.Experiment(name="validation-test", spec=wanted)
    )
    async with serving() as client:
        try:
            await client.suggestion.ValidateAlgorithmSettings(request)
        except grpc.aio.AioRpcError as error:
            return error.code(), str(error.details())
    return grpc.StatusCode.OK, ""
