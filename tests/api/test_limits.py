"""Limits of an Experiment: at the limit it passes, one above it is refused with path and reason."""

from __future__ import annotations

from typing import Any

import pytest

from api.limits import (
    CHARACTERS,
    ITEMS,
    LONGEST_PATTERN,
    MOST_PATTERN_CHARACTERS,
    MOST_VALUES,
    Limit,
    faults_beyond_limits,
)
from api.types import Json


def document_with(path: str, value: Json) -> dict[str, Any]:
    """Return a document whose only value is at the path; lists on the way have one item."""
    document: Any = value
    for step in reversed(path.split(".")):
        if step.endswith("[]"):
            document = [document]
        document = {step.removesuffix("[]"): document}
    return dict(document)


@pytest.mark.parametrize("limit", ITEMS, ids=lambda limit: limit.path)
def test_a_list_may_be_as_long_as_its_limit_and_no_longer(limit: Limit) -> None:
    assert not faults_beyond_limits(document_with(limit.path, ["x"] * limit.most))

    (fault,) = faults_beyond_limits(document_with(limit.path, ["x"] * (limit.most + 1)))

    assert fault.path == limit.path.replace("[]", "[0]")
    assert f"must have at most {limit.most} items: {limit.reason}" in fault.message


@pytest.mark.parametrize("limit", CHARACTERS, ids=lambda limit: limit.path)
def test_a_text_may_be_as_long_as_its_limit_and_no_longer(limit: Limit) -> None:
    assert not faults_beyond_limits(document_with(limit.path, "x" * limit.most))

    (fault,) = faults_beyond_limits(document_with(limit.path, "x" * (limit.most + 1)))

    assert fault.path == limit.path.replace("[]", "[0]")
    assert f"must have at most {limit.most} characters, not {limit.most + 1}" in fault.message
    assert len(fault.message) < 300


def test_all_patterns_together_have_a_limit() -> None:
    path = "spec.metricsCollectorSpec.source.filter.metricsFormat"
    patterns = ["x" * LONGEST_PATTERN] * (MOST_PATTERN_CHARACTERS // LONGEST_PATTERN)

    assert not faults_beyond_limits(document_with(path, patterns))

    (fault,) = faults_beyond_limits(document_with(path, [*patterns, "x"]))

    assert fault.path == path
    assert "each pattern is compiled" in fault.message


@pytest.mark.parametrize("value", [[1] * MOST_VALUES, {f"k{i}": {} for i in range(MOST_VALUES)}])
def test_too_many_values_are_one_fault_wherever_they_are(value: Json) -> None:
    (fault,) = faults_beyond_limits({"spec": {"trialTemplate": {"trialSpec": {"a": value}}}})

    assert fault.path == "spec"
    assert f"at most {MOST_VALUES} values" in fault.message


def test_the_status_does_not_count() -> None:
    assert not faults_beyond_limits({"spec": {}, "status": {"list": ["x"] * (2 * MOST_VALUES)}})


@pytest.mark.parametrize(
    "document", [None, 3, [], {}, {"spec": 3}, {"spec": {"parameters": 3, "objective": []}}]
)
def test_values_of_wrong_types_are_left_to_the_reader(document: Json) -> None:
    assert not faults_beyond_limits(document)
