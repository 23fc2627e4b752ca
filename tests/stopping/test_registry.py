"""Rules are found by name, and their settings are checked before any trial runs."""

from __future__ import annotations

import pytest

from api.algorithms import EARLY_STOPPING
from api.errors import SpecError
from api.types import EarlyStoppingSpec, ExperimentSpec, Objective, Setting
from stopping.registry import BUILT_IN, check_settings, names, stopping_of
from stopping.successive_halving import SuccessiveHalving

S = "spec.earlyStopping.algorithmSettings"


def spec(name: str, settings: dict[str, str]) -> ExperimentSpec:
    early = EarlyStoppingSpec(
        name=name, settings=tuple(Setting(name=n, value=v) for n, v in settings.items())
    )
    objective = Objective(metric="loss", additional=("latency",))
    return ExperimentSpec(objective=objective, early_stopping=early)


def test_the_names_that_all_programs_know_are_those_of_the_registry() -> None:
    assert tuple(BUILT_IN) == EARLY_STOPPING
    assert names()[: len(BUILT_IN)] == tuple(BUILT_IN)


def test_the_defaults_serve() -> None:
    found = stopping_of(spec("asha", {}))

    assert found is not None
    assert found.rule == SuccessiveHalving(name="asha")
    assert (found.goal.metric, found.metrics) == ("loss", ("loss",))


def test_hyperband_stop_has_a_bracket_for_each_rung() -> None:
    found = stopping_of(spec("hyperband-stop", {"max_resource": "81", "reduction_factor": "3"}))

    assert found is not None
    assert isinstance(found.rule, SuccessiveHalving)
    assert found.rule.brackets == 4


def test_another_metric_is_followed_too() -> None:
    found = stopping_of(spec("threshold", {"metric": "latency", "upper": "5"}))

    assert found is not None
    assert found.metrics == ("loss", "latency")


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("ashe", {}, 'spec.earlyStopping.algorithmName: Invalid value: "ashe": unknown algorithm name ashe; did you mean "asha"?'),
        ("", {}, "spec.earlyStopping.algorithmName: Required value: must be specified; write one of medianstop, asha"),
        ("asha", {"eta": "3"}, f'{S}[0].name: Invalid value: "eta": unknown setting eta for algorithm asha; known are reduction_factor, min_resource, max_resource, resource, brackets'),
        ("asha", {"reduction_factor": "1"}, f'{S}[0].value: Invalid value: "1": reduction_factor must be greater than one (>1); write a whole number from 2 to 100'),
        ("asha", {"min_resource": "0"}, f'{S}[0].value: Invalid value: "0": min_resource must be positive; write a number from 0.001 to 1e+09'),
        ("asha", {"min_resource": "nan"}, f'{S}[0].value: Invalid value: "nan": min_resource must be positive; write a number from 0.001 to 1e+09'),
        ("asha", {"resource": "epochs"}, f'{S}[0].value: Invalid value: "epochs": failed to validate resource(epochs): write one of step, points, seconds'),
        ("asha", {"min_resource": "9", "max_resource": "9"}, f"{S}.max_resource: Invalid value: 9.0: the first rung of the last bracket is 9"),
        ("asha", {"brackets": "3", "max_resource": "16"}, f"{S}.max_resource: Invalid value: 16.0: the first rung of the last bracket is 16"),
        ("hyperband-stop", {}, f"{S}.max_resource: Required value: must be specified: the most that a trial uses"),
        ("medianstop", {"start_step": "0"}, f'{S}[0].value: Invalid value: "0": start_step must be greater or equal than one (>=1)'),
        ("percentile", {"percentile": "101"}, f'{S}[0].value: Invalid value: "101": percentile must be from 0.1 to 100'),
        ("patience", {"n": "0"}, f'{S}[0].value: Invalid value: "0": n must be greater than zero (>0)'),
        ("patience", {"min_delta": "-1"}, f'{S}[0].value: Invalid value: "-1": min_delta must not be negative'),
        ("threshold", {}, f"{S}: Required value: lower or upper must be specified for threshold"),
        ("threshold", {"lower": "2", "upper": "1"}, f"{S}.lower: Invalid value: 2.0: must not be more than upper, 1"),
        ("threshold", {"metric": "speed", "upper": "1"}, f'{S}.metric: Invalid value: "speed": is not a metric of the objective; write one of: loss, latency'),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused_with_what_to_write(
    name: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(SpecError) as raised:
        stopping_of(spec(name, settings))

    assert message in str(raised.value)


def test_what_needs_no_experiment_is_checked_without_one() -> None:
    check_settings(EarlyStoppingSpec(name="threshold"))
    with pytest.raises(SpecError, match="unknown setting eta for algorithm asha"):
        check_settings(EarlyStoppingSpec(name="asha", settings=(Setting(name="eta", value="2"),)))
