from __future__ import annotations

import ast
import dataclasses
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import api.types
from api.types import (
    Condition,
    ConditionStatus,
    ConditionType,
    MetricPoint,
    Objective,
    Trial,
    holds,
)

NOUNS = [
    noun
    for name in api.types.__all__
    if dataclasses.is_dataclass(noun := getattr(api.types, name)) and inspect.isclass(noun)
]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_a_noun_is_frozen_slotted_and_keyword_only(noun: type) -> None:
    assert noun.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(noun, "__slots__")
    assert all(field.kw_only for field in dataclasses.fields(noun))


def test_all_nouns_are_exported_in_order() -> None:
    assert api.types.__all__ == sorted(api.types.__all__, key=str)
    assert len(NOUNS) > 25


def test_each_exported_name_is_found_in_its_module() -> None:
    tree = ast.parse(Path(api.types.__file__).read_text(encoding="utf-8"))
    found = {
        alias.name: f"api.types.{node.module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    assert sorted(found) == api.types.__all__
    for name, module in found.items():
        assert getattr(api.types, name) is getattr(import_module(module), name)
    with pytest.raises(AttributeError, match="no attribute 'Trail'"):
        _ = api.types.Trail


def test_a_trial_without_any_values_is_still_a_trial() -> None:
    assert Trial().spec.collector is None
    assert Trial().status.conditions == ()


def test_a_point_is_a_plain_tuple() -> None:
    assert MetricPoint("loss", "0.5", None, 7) == ("loss", "0.5", None, 7)


def test_the_metrics_of_an_objective_begin_with_the_objective() -> None:
    objective = Objective(metric="accuracy", additional=("loss", "f1"))
    assert objective.metrics == ("accuracy", "loss", "f1")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), False),
        ((Condition(type="Running", status=ConditionStatus.TRUE),), False),
        ((Condition(type="Succeeded", status=ConditionStatus.FALSE),), False),
        ((Condition(type="Succeeded", status=ConditionStatus.UNKNOWN),), False),
        ((Condition(type="Succeeded", status=ConditionStatus.TRUE),), True),
    ],
)
def test_a_condition_holds_when_it_is_there_and_true(
    *, conditions: tuple[Condition, ...], expected: bool
) -> None:
    assert holds(conditions, ConditionType.SUCCEEDED) is expected
