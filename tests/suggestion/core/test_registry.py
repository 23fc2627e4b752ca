"""The lists of algorithms in `api`, for programs that cannot import the search."""

from __future__ import annotations

from api.algorithms import ALGORITHMS, EARLY_STOPPING
from api.objects.algorithms import parse_early_stopping
from api.objects.fields import Field
from suggestion.algorithms.median_stop import median_stop_of
from suggestion.core.registry import BUILT_IN


def test_the_searches_of_the_api_are_those_of_the_registry() -> None:
    assert tuple(BUILT_IN) == ALGORITHMS


def test_the_stop_rules_of_the_api_are_those_of_the_service() -> None:
    for name in EARLY_STOPPING:
        median_stop_of(parse_early_stopping(Field({"algorithmName": name})))
