from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.errors import Fault
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from api.objects.validation import faults_of
from api.objects.yamltext import load_objects

DATA = Path(__file__).parent / "data"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="session")
def _seed() -> dict[str, Any]:
    (document,) = load_objects((DATA / "random-search.yaml").read_text())
    return dict(document)


@pytest.fixture
def document(_seed: dict[str, Any]) -> dict[str, Any]:
    """An Experiment without fault, as JSON, for a test to spoil."""
    return copy.deepcopy(_seed)


def no_complaint(_pattern: str) -> str | None:
    return None


@pytest.fixture
def judge(document: dict[str, Any]) -> Callable[..., list[Fault]]:
    """Change the document, read it, fill in the defaults, and list its faults."""

    def judged(change: Change, **options: Any) -> list[Fault]:  # noqa: ANN401
        change(document)
        experiment = with_defaults(parse_experiment(document))
        return list(faults_of(experiment, **({"check_filter": no_complaint} | options)))

    return judged
