"""The lists of algorithms in `api`, for programs that cannot import the search."""

from __future__ import annotations

from api.algorithms import ALGORITHMS
from suggestion.core.registry import BUILT_IN


def test_the_searches_of_the_api_are_those_of_the_registry() -> None:
    assert tuple(BUILT_IN) == ALGORITHMS
