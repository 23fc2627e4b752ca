"""The shipped experiments are in order, for every part that will read them."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from api.errors import UserError
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from api.objects.validation import faults_of
from api.objects.yamltext import load_objects
from api.types import (
    CollectorKind,
    CollectorSpec,
    Experiment,
    LogFormat,
    ObjectiveType,
    PathKind,
    Setting,
)
from filters.extractor import extraction_spec
from suggestion.core.search_task import search_task_of
from tests.architecture.tree import ROOT, pyproject

EXAMPLES = ROOT / "examples"
NAMES = ("random", "bayesianoptimization", "file-collector", "event-files")
EVERY = (*NAMES, "asha", "hyperband", "pbt")


def experiment(name: str) -> Experiment:
    (document,) = load_objects((EXAMPLES / f"{name}.yaml").read_text())
    return with_defaults(parse_experiment(document))


def complaint(pattern: str) -> str | None:
    try:
        extraction_spec(["m"], LogFormat.TEXT, [pattern])
    except UserError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", EVERY)
def test_an_example_has_no_fault(name: str) -> None:
    assert faults_of(experiment(name), check_filter=complaint) == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_search_can_begin_with_an_example(name: str) -> None:
    task = search_task_of(experiment(name).spec)

    (point,) = task.suggest((), 0, 1, seed=task.seed or 1)

    values = {assignment.name: assignment.value for assignment in point}
    assert 0.01 <= float(values["lr"]) <= 0.03
    assert values["num-layers"] in {"2", "3", "4", "5"}
    assert values["optimizer"] in {"sgd", "adam", "ftrl"}


@pytest.mark.parametrize("name", NAMES)
def test_all_search_for_the_same(name: str) -> None:
    found, first = experiment(name).spec, experiment("random").spec

    assert found.objective == first.objective
    assert found.parameters[: len(first.parameters)] == first.parameters
    assert found.objective is not None
    assert found.objective.type is ObjectiveType.MAXIMIZE
    assert found.objective.metrics == ("Validation-accuracy", "Train-accuracy")


def test_bayesian_optimization_has_its_settings() -> None:
    algorithm = experiment("bayesianoptimization").spec.algorithm

    assert algorithm is not None
    assert algorithm.settings == (
        Setting(name="random_state", value="1234"),
        Setting(name="n_initial_points", value="5"),
    )


def test_metrics_come_from_the_output_where_nothing_is_said() -> None:
    collector = experiment("random").spec.collector

    assert collector is not None
    assert collector.kind is CollectorKind.STDOUT


def test_the_file_and_its_form_are_named_where_metrics_come_from_a_file() -> None:
    assert experiment("file-collector").spec.collector == CollectorSpec(
        kind=CollectorKind.FILE,
        path="/katib/mnist.log",
        path_kind=PathKind.FILE,
        format=LogFormat.TEXT,
        filters=(r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}",),
    )


def test_the_directory_is_named_where_metrics_come_from_event_files() -> None:
    assert experiment("event-files").spec.collector == CollectorSpec(
        kind=CollectorKind.TENSORFLOW_EVENT, path="/katib/events", path_kind=PathKind.DIRECTORY
    )


@pytest.mark.parametrize("name", EVERY)
def test_the_command_is_right_in_the_repository_and_in_the_image(name: str) -> None:
    (document,) = load_objects((EXAMPLES / f"{name}.yaml").read_text())
    spec: Any = document["spec"]
    (container,) = spec["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"]
    dockerfile = (EXAMPLES / "digits" / "Dockerfile").read_text()
    image = dockerfile.split("docker build -t ")[1].split()[0]
    (directory,) = re.findall(r"^WORKDIR (.+)$", dockerfile, re.MULTILINE)
    (trainer,) = re.findall(r"^COPY train.py (.+)$", dockerfile, re.MULTILINE)

    assert container["image"] == image
    assert image.endswith(f":{pyproject()['project']['version']}")
    assert container["command"][:2] == ["python3", trainer]
    assert (ROOT / trainer).exists()
    # Nothing takes the trainer out of the image's own directory.
    assert "workingDir" not in container
    assert directory.startswith("/")


def test_the_image_has_the_packages_that_the_training_is_tested_with() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = path.read_text().splitlines()
        return dict(line.split("==") for line in lines if line and line[0] != "#")

    wanted, known = pins(EXAMPLES / "digits" / "requirements.txt"), pins(ROOT / "constraints.txt")

    assert wanted.items() <= known.items()
    # And all that these bring along, so that an image of next year is the same.
    assert _with_what_they_need({"numpy", "scikit-learn"}) == wanted.keys()


def _with_what_they_need(packages: set[str]) -> set[str]:
    found: set[str] = set()
    while packages:
        package = packages.pop()
        found.add(package)
        needs = [Requirement(text) for text in requires(package) or ()]
        packages |= {need.name for need in needs if not need.marker} - found
    return found
