"""`algorithm`, `earlyStopping` and stop rules."""

from __future__ import annotations

from api.types import (
    AlgorithmSpec,
    Comparison,
    EarlyStoppingSpec,
    Json,
    Setting,
    StopRule,
)

from .fields import Field
from .rendering import present


def parse_algorithm(f: Field) -> AlgorithmSpec:
    """Read `algorithm`."""
    return AlgorithmSpec(
        name=f.at("algorithmName").text(),
        settings=f.at("algorithmSettings").records(parse_setting),
    )


def parse_early_stopping(f: Field) -> EarlyStoppingSpec:
    """Read `earlyStopping`."""
    return EarlyStoppingSpec(
        name=f.at("algorithmName").text(),
        settings=f.at("algorithmSettings").records(parse_setting),
    )


def render_algorithm(algorithm: AlgorithmSpec | EarlyStoppingSpec) -> Json:
    """Write `algorithm` or `earlyStopping`, which have the same form."""
    return present(
        {
            "algorithmName": algorithm.name,
            "algorithmSettings": tuple(render_setting(s) for s in algorithm.settings),
        }
    )


def parse_setting(f: Field) -> Setting:
    """Read one entry of `algorithmSettings`."""
    return Setting(name=f.at("name").text(), value=f.at("value").text())


def render_setting(setting: Setting) -> Json:
    """Write one entry of `algorithmSettings`."""
    return present({"name": setting.name, "value": setting.value})


def parse_stop_rule(f: Field) -> StopRule:
    """Read one entry of `earlyStoppingRules`."""
    comparison = f.at("comparison")
    if comparison.absent:
        comparison.require("must be equal, less or greater")
    return StopRule(
        name=f.at("name").text(),
        value=f.at("value").text(),
        comparison=comparison.choice(Comparison, Comparison.EQUAL),
        start_step=f.at("startStep").count(),
    )


def render_stop_rule(rule: StopRule) -> Json:
    """Write one entry of `earlyStoppingRules`."""
    return present(
        {
            "name": rule.name,
            "value": rule.value,
            "comparison": rule.comparison.value,
            "startStep": rule.start_step or None,
        }
    )
