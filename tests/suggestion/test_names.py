"""What `api` says of our algorithms, for programs that cannot ask the search itself."""

from __future__ import annotations

from api.algorithms import ALGORITHMS, EARLY_STOPPING
from api.objects.algorithms import parse_early_stopping
from api.objects.fields import Field
from suggestion.median_stop import median_stop_of
from suggestion.registry import OURS


def test_the_searches_are_those_of_the_registry() -> None:
    assert tuple(OURS) == ALGORITHMS


def test_the_stops_are_those_that_are_served() -> None:
    for name in EARLY_STOPPING:
        median_stop_of(parse_early_stopping(Field({"algorithmName": name})))
