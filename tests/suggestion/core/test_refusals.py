"""Refusals: one line for each fault, with the field's path, the wrong value and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from api.errors import SpecError
from api.types import Objective, ObjectiveType, Operation, ParameterSpec, Setting
from suggestion.core.registry import BUILT_IN, find
from suggestion.core.search_task import search_task_of
from tests.suggestion.controller_requests import experiment
from tests.suggestion.network_spaces import NETWORKS, searched
from tests.suggestion.search_spaces import EVERYTHING, PLANE, categorical, double, integer

SETTING = "spec.algorithm.algorithmSettings[0]"


def faults(
    algorithm: str,
    parameters: tuple[ParameterSpec, ...] = PLANE,
    values: Mapping[str, str] = MappingProxyType({}),
    most: int | None = None,
) -> list[str]:
    with pytest.raises(SpecError) as refused:
        search_task_of(experiment(algorithm, parameters, values, most=most).spec)
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    ("algorithm", "setting", "value", "sentence"),
    [
        ("random", "random_state", "-1", "random_state should be great or equal than zero"),
        ("random", "random_state", "abc", "failed to validate random_state(abc)"),
        ("random", "random_state", "1.5", "failed to validate random_state(1.5)"),
        ("grid", "random_state", "-1", "random_state should be greate or equal than zero"),
        ("sobol", "random_state", "-1", "random_state should be great or equal than zero"),
        ("tpe", "gamma", "0", "gamma should be in the range of (0, 1)"),
        ("tpe", "gamma", "1", "gamma should be in the range of (0, 1)"),
        ("tpe", "gamma", "nan", "gamma should be in the range of (0, 1)"),
        ("tpe", "gamma", "half", "failed to validate gamma(half)"),
        ("tpe", "prior_weight", "0", "prior_weight should be great than zero"),
        ("tpe", "prior_weight", "inf", "prior_weight should be great than zero"),
        ("tpe", "n_EI_candidates", "0", "n_EI_candidates should be great than zero"),
        ("tpe", "random_state", "-1", "random_state should be great or equal than zero"),
        ("multivariate-tpe", "n_startup_trials", "-1", "n_startup_trials should be greate or equal than zero"),
        ("multivariate-tpe", "n_ei_candidates", "-1", "n_ei_candidates should be greate or equal than zero"),
        ("tpe", "n_ei_candidates", "-1", "n_ei_candidates should be greate or equal than zero"),
        ("multivariate-tpe", "random_state", "-1", "random_state should be greate or equal than zero"),
        ("cmaes", "restart_strategy", "often", "restart_strategy often is not supported in CMAES optimization"),
        ("cmaes", "sigma", "-1", "sigma should be greate or equal than zero"),
        ("cmaes", "sigma", "nan", "sigma should be greate or equal than zero"),
        ("cmaes", "sigma_share", "1.5", "sigma_share should be from 0 to 1"),
        ("cmaes", "random_state", "-1", "random_state should be greate or equal than zero"),
        ("bayesianoptimization", "base_estimator", "SVM", "base_estimator SVM is not supported in Bayesian optimization"),
        ("bayesianoptimization", "acq_func", "UCB", "acq_func UCB is not supported in Bayesian optimization"),
        ("bayesianoptimization", "acq_optimizer", "adam", "acq_optimizer adam is not supported in Bayesian optimization"),
        ("bayesianoptimization", "n_initial_points", "-1", "n_initial_points should be great or equal than zero"),
        ("bayesianoptimization", "random_state", "-1", "random_state should be great or equal than zero"),
        ("hyperband", "r_l", "-1", "r_l must be a positive float number."),
        ("hyperband", "r_l", "0", "r_l must be a positive float number."),
        ("hyperband", "r_l", "many", "r_l must be a positive float number."),
        ("hyperband", "r_l", "nan", "r_l must be a positive float number."),
        ("hyperband", "eta", "1", "eta must be at least 2"),
        ("hyperband", "eta", "x", "failed to validate eta(x)"),
        ("hyperband", "resource_name", "", "resource_name must be a text of one line"),
        ("hyperband", "current_s", "x", "failed to validate current_s(x)"),
        ("qmc", "qmc_type", "korobov", "qmc_type korobov is not supported"),
        ("gp", "n_initial_points", "-1", "n_initial_points should be great or equal than zero"),
        ("gp", "acq_func", "UCB", "acq_func UCB is not supported in Bayesian optimization"),
        ("auto", "random_state", "-1", "random_state should be great or equal than zero"),
        ("pbt", "suggestion_trial_dir", "checkpoints", "suggestion_trial_dir must be the absolute path"),
        ("pbt", "n_population", "4", "Param(n_population) should be >= 5"),
        ("pbt", "truncation_threshold", "1.5", "Param(truncation_threshold) should be between 0 and 1, inclusive"),
        ("pbt", "truncation_threshold", "nan", "Param(truncation_threshold) should be between 0 and 1, inclusive"),
        ("pbt", "resample_probability", "-0.1", "Param(resample_probability) should be null to perturb at 0.8 or 1.2, or be between 0 and 1, inclusive, to resample"),
        ("pbt", "resample_probability", "often", "failed to validate resample_probability(often)"),
    ],
)  # fmt: skip
def test_a_setting_that_is_out_of_bounds(
    algorithm: str, setting: str, value: str, sentence: str
) -> None:
    (line,) = faults(algorithm, values={setting: value})

    assert line.startswith(f'{SETTING}.value: Invalid value: "{value}": {sentence}')
    assert "; write " in line or ": write " in line


BOUNDED = [
    (algorithm, rule.name, rule.most)
    for algorithm in BUILT_IN
    for rule in (*find(algorithm).rules, find(algorithm).seed)
    if rule.most is not None
]


@pytest.mark.parametrize(("algorithm", "setting", "most"), BOUNDED)
def test_a_setting_above_its_bound(algorithm: str, setting: str, most: int) -> None:
    find(algorithm).read(algorithm, [Setting(name=setting, value=str(most))])
    with pytest.raises(SpecError) as refused:
        find(algorithm).read(algorithm, [Setting(name=setting, value=str(most + 1))])

    assert f"{setting} must be at most {most}; write a " in str(refused.value)


TEXTS = {"resource_name", "chosen", "reason"}
"""Settings that may be any text of one line."""


@pytest.mark.parametrize("algorithm", BUILT_IN)
def test_each_setting_has_an_upper_bound(algorithm: str) -> None:
    huge, word = "9" * 400, "x"
    for rule in find(algorithm).rules:
        for text in (huge, "") if rule.name in TEXTS else (huge, word, "inf", "1e400"):
            with pytest.raises(ValueError, match=rule.name):
                rule.value(text)


def test_too_many_settings() -> None:
    many = [Setting(name="gamma", value="0.3")] * 101
    with pytest.raises(SpecError) as refused:
        find("tpe").read("tpe", many)

    assert str(refused.value) == (
        "spec.algorithm.algorithmSettings: Invalid value: 101: must have at most 100 settings;"
        " remove those that occur twice"
    )


def test_too_many_parameters() -> None:
    parameters = tuple(double(f"x{i}", "0", "1") for i in range(1001))
    (line,) = faults("random", parameters)

    assert line == (
        "spec.parameters: Invalid value: 1001: must have at most 1000 parameters; remove some"
    )
    assert len(search_task_of(experiment("random", parameters[1:]).spec).space.dimensions) == 1000


def test_too_many_values() -> None:
    values = tuple(f"v{i}" for i in range(5001))
    parameters = (categorical("a", *values), categorical("b", *values))
    (line,) = faults("random", parameters)

    assert line == (
        "spec.parameters[1].feasibleSpace.list: Invalid value: 5001: the lists up to this one have"
        " 10002 values; write at most 10000 in all lists together, or take an int or a double with"
        " a range"
    )


@pytest.mark.parametrize("algorithm", BUILT_IN)
def test_an_unknown_setting(algorithm: str) -> None:
    parameters = (integer("a", "1", "3"), integer("b", "1", "3"))
    if find(algorithm).others is not None:
        return  # darts passes it on
    config = NETWORKS if not find(algorithm).parameters else None
    spec = experiment(algorithm, parameters, {"wheels": "4"}).spec
    with pytest.raises(SpecError) as refused:
        search_task_of(replace(spec, nas_config=config))
    line = str(refused.value)
    own = find(algorithm).unknown.replace("{}", "wheels")

    assert line.startswith(
        f'{SETTING}.name: Invalid value: "wheels":'
        f" {own or f'unknown setting wheels for algorithm {algorithm}'}; known are "
    )
    assert "random_state" in line


def test_a_misspelt_setting() -> None:
    (line,) = faults("tpe", values={"n_ei_candidate": "4"})

    assert line.endswith('; did you mean "n_ei_candidates"?')


@pytest.mark.parametrize(
    ("name", "end"),
    [("tpee", '; did you mean "tpe"?'), ("evolve", "; write one of random, grid, sobol")],
)
def test_an_unknown_algorithm(name: str, end: str) -> None:
    (line,) = faults(name)

    path = "spec.algorithm.algorithmName"
    assert line.startswith(f'{path}: Invalid value: "{name}": unknown algorithm name {name}{end}')


def test_an_algorithm_without_a_name() -> None:
    (line,) = faults("")

    assert line.startswith("spec.algorithm.algorithmName: Required value: must be specified; write")


@pytest.mark.parametrize(
    "parameters",
    [
        (double("x", "0", "1"),),
        (double("x", "0", "1"), integer("fixed", "2", "2")),
        (double("x", "0", "1"), categorical("c", "a", "b")),
    ],
)
def test_cmaes_needs_two_ranges(parameters: tuple[ParameterSpec, ...]) -> None:
    (line,) = faults("cmaes", parameters)

    assert line.startswith("spec.parameters: ")
    assert "only supports two or more dimensional continuous search space." in line
    assert line.endswith("or take tpe instead")


def test_a_grid_needs_a_step_for_each_double() -> None:
    (line,) = faults("grid", (integer("n", "1", "3"), double("x", "0", "1")))

    assert line.startswith(
        "spec.parameters[1].feasibleSpace.step: Required value: Param x step is nil; For discrete"
        " search space, all parameters must include step; write one"
    )


def test_a_grid_of_fewer_points_than_trials() -> None:
    (line,) = faults("grid", (integer("n", "1", "3"), categorical("c", "a", "b")), most=7)

    assert line == (
        "spec.maxTrialCount: Invalid value: 7: Max Trial Count: 7 > all possible search"
        " combinations: 6; write at most 6, or leave it out"
    )


def test_a_grid_of_as_many_points_as_trials_is_accepted() -> None:
    spec = experiment("grid", (integer("n", "1", "3"), categorical("c", "a", "b")), most=6).spec

    assert search_task_of(spec).space.size == 6


def test_the_error_has_all_faults() -> None:
    parameters = (double("x", "1", "0"), double("y", "0", "many"))
    objective = Objective(type=ObjectiveType.UNKNOWN)
    with pytest.raises(SpecError) as refused:
        search_task_of(experiment("tpe", parameters, {"gamma": "7"}, objective=objective).spec)

    assert [fault.path for fault in refused.value.faults] == [
        "spec.objective.type",
        "spec.objective.objectiveMetricName",
        "spec.parameters[0].feasibleSpace.min",
        "spec.parameters[1].feasibleSpace.max",
        f"{SETTING}.value",
    ]


@pytest.mark.parametrize("algorithm", ["random", "tpe", "hyperband"])
def test_networks_by_an_algorithm_for_parameters(algorithm: str) -> None:
    spec = replace(experiment(algorithm, ()).spec, nas_config=NETWORKS)
    with pytest.raises(SpecError) as refused:
        search_task_of(spec)

    assert str(refused.value) == (
        f"spec.nasConfig: Forbidden: {algorithm} searches spec.parameters; write enas as the"
        " algorithmName, or darts"
    )


@pytest.mark.parametrize("algorithm", ["enas", "darts"])
def test_parameters_by_an_algorithm_for_networks(algorithm: str) -> None:
    (line,) = faults(algorithm)

    assert line == (
        f"spec.nasConfig: Required value: {algorithm} searches networks; write spec.nasConfig in"
        " place of spec.parameters"
    )


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("controller_hidden_size", "x", "Algorithm Setting controller_hidden_size must be int type: "),
        ("controller_hidden_size", "0", "Algorithm Setting controller_hidden_size: 0 with int type must be in range [1, inf)"),
        ("controller_temperature", "0", "Algorithm Setting controller_temperature: 0 with float type must be in range (0, inf)"),
        ("controller_temperature", "none", "Algorithm Setting controller_temperature must be float type: "),
        ("controller_tanh_const", "-1", "Algorithm Setting controller_tanh_const: -1 with float type must be in range (0, inf)"),
        ("controller_entropy_weight", "nan", "Algorithm Setting controller_entropy_weight: nan with float type must be in range (0.0, inf)"),
        ("controller_baseline_decay", "1.5", "Algorithm Setting controller_baseline_decay: 1.5 with float type must be in range (0.0, 1.0)"),
        ("controller_baseline_decay", "None", "Algorithm Setting controller_baseline_decay must be float type: "),
        ("controller_learning_rate", "0", "Algorithm Setting controller_learning_rate: 0 with float type must be in range (0.0, 1.0)"),
        ("controller_skip_target", "2", "Algorithm Setting controller_skip_target: 2 with float type must be in range (0.0, 1.0)"),
        ("controller_skip_weight", "0", "Algorithm Setting controller_skip_weight: 0 with float type must be in range (0.0, inf)"),
        ("controller_train_steps", "0", "Algorithm Setting controller_train_steps: 0 with int type must be in range [1, inf)"),
        ("controller_log_every_steps", "1.5", "Algorithm Setting controller_log_every_steps must be int type: "),
    ],
)  # fmt: skip
def test_a_setting_of_the_policy_out_of_bounds(setting: str, value: str, sentence: str) -> None:
    with pytest.raises(SpecError) as refused:
        search_task_of(searched("enas", {setting: value}))

    assert str(refused.value).startswith(f'{SETTING}.value: Invalid value: "{value}": {sentence}')
    assert "; write " in str(refused.value)


@pytest.mark.parametrize("setting", ["temperature", "tanh_const", "entropy_weight", "skip_weight"])
def test_a_setting_of_the_policy_that_may_be_none(setting: str) -> None:
    search_task_of(searched("enas", {f"controller_{setting}": "None"}))


def test_too_many_operations() -> None:
    sizes = tuple(str(number) for number in range(40))
    wide = Operation(type="wide", parameters=(categorical("a", *sizes), categorical("b", *sizes)))
    config = replace(NETWORKS, operations=(*NETWORKS.operations, wide))
    with pytest.raises(SpecError) as refused:
        search_task_of(searched("enas", config=config))

    assert str(refused.value) == (
        'spec.nasConfig.operations[2]: Invalid value: "wide": the operations up to this one have'
        " 1604 combinations of parameters; write at most 1000 in all"
    )


def test_more_combinations_of_operations_than_python_writes_as_a_number() -> None:
    wide = Operation(
        type="wide",
        parameters=tuple(double(f"p{i}", "0", "1", step="1e-60") for i in range(90)),
    )
    config = replace(NETWORKS, operations=(wide,))
    with pytest.raises(SpecError) as refused:
        search_task_of(searched("enas", config=config))

    assert "have more than 1000000000000000000 combinations" in str(refused.value)


def test_too_many_parameters_of_operations() -> None:
    one = Operation(
        type="wide", parameters=tuple(categorical(f"p{number}", "a") for number in range(60))
    )
    config = replace(NETWORKS, operations=(one, one))
    with pytest.raises(SpecError) as refused:
        search_task_of(searched("enas", config=config))

    assert str(refused.value) == (
        "spec.nasConfig.operations[1].parameters: Invalid value: 60: the operations up to this one"
        " have 120 parameters; write at most 100 in all"
    )


def test_an_experiment_without_parameters() -> None:
    assert faults("random", ())[0].startswith("spec: Required value: spec.parameters")


@pytest.mark.parametrize(
    ("algorithm", "values"),
    [
        ("random", {"random_state": "0"}),
        ("tpe", {"gamma": "0.25", "prior_weight": "2", "n_EI_candidates": "24", "random_state": "10"}),
        ("tpe", {"n_ei_candidates": "0"}),
        ("multivariate-tpe", {"n_ei_candidates": "0"}),
        ("multivariate-tpe", {"n_startup_trials": "0", "n_ei_candidates": "1", "random_state": "10"}),
        ("cmaes", {"restart_strategy": "None", "sigma": "0.3", "random_state": "10"}),
        ("cmaes", {"sigma": "2"}),
        ("cmaes", {"sigma_share": "0.3"}),
        ("cmaes", {"restart_strategy": "ipop"}),
        ("cmaes", {"restart_strategy": "bipop"}),
        ("sobol", {}),
        ("qmc", {"qmc_type": "halton"}),
        ("gp", {"n_initial_points": "2", "acq_func": "EI"}),
        ("auto", {"chosen": "grid", "reason": "it fits"}),
        ("bayesianoptimization", {"base_estimator": "GP", "n_initial_points": "10", "acq_func": "gp_hedge", "acq_optimizer": "auto", "random_state": "10"}),
    ],
)  # fmt: skip
def test_correct_settings_are_accepted(algorithm: str, values: dict[str, str]) -> None:
    task = search_task_of(experiment(algorithm, EVERYTHING, values).spec)

    (point,) = task.suggest((), 0, 1, seed=1)
    assert len(point) == len(EVERYTHING)
    assert task.seed == (int(values["random_state"]) if "random_state" in values else None)


def test_of_two_settings_with_one_name_the_last_counts() -> None:
    """Katib's controller appends the settings of the reply."""
    twice = [Setting(name="random_state", value=value) for value in ("1", "2")]

    assert find("random").read("random", twice) == {"random_state": 2}
