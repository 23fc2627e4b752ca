"""Three experiments from files, as they are after their defaults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment, render_experiment
from api.objects.validation import faults_of
from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from api.types import CollectorKind, ObjectiveType, ParameterType

DATA = Path(__file__).parent / "data"
NAMES = ["file-metrics", "random-search", "stdout-filter"]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_with_its_defaults_is_its_golden(
    name: str, golden: Callable[[Path, str], None]
) -> None:
    (document,) = load_objects((DATA / f"{name}.yaml").read_text())
    experiment = with_defaults(parse_experiment(document))
    golden(DATA / f"{name}.defaulted.yaml", dump_objects([render_experiment(experiment)]))
    assert faults_of(experiment, check_filter=lambda _: None) == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_reads_as_itself(name: str) -> None:
    (document,) = load_objects((DATA / f"{name}.defaulted.yaml").read_text())
    experiment = parse_experiment(document)
    assert with_defaults(experiment) == experiment
    assert render_experiment(experiment) == document


def test_every_example_has_a_golden_and_a_test() -> None:
    assert sorted(p.stem for p in DATA.glob("*.yaml") if "." not in p.stem) == NAMES


def test_an_example_means_what_it_says() -> None:
    (document,) = load_objects((DATA / "file-metrics.yaml").read_text())
    spec = parse_experiment(document).spec
    assert spec.objective
    assert spec.objective.type is ObjectiveType.MAXIMIZE
    assert spec.objective.goal == 0.99
    assert spec.objective.metrics == ("Validation-accuracy", "Train-accuracy")
    assert [(p.name, p.type) for p in spec.parameters] == [
        ("lr", ParameterType.DOUBLE),
        ("num-layers", ParameterType.INT),
        ("optimizer", ParameterType.CATEGORICAL),
    ]
    assert spec.parameters[2].space.list == ("sgd", "adam", "ftrl")
    assert spec.collector
    assert spec.collector.kind is CollectorKind.FILE
    assert spec.collector.path == "/katib/mnist.log"
    assert spec.collector.filters == (r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}",)
