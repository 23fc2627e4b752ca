"""The JSON Schema for editors: it comes from the readers, accepts Experiments, and finds mistakes."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from api.objects.yamltext import load_objects
from manifests.schema.__main__ import FOR_EDITORS
from manifests.schema.editor import editor_schema
from tests.architecture.tree import ROOT
from tests.manifests.user_mistakes import SEED, SEEDS, Change, both, parameter, setting, spec

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
VALIDATOR = jsonschema.Draft7Validator(editor_schema())


def mistakes_in(document: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Return the paths of what an editor marks."""
    return [error.json_path.removeprefix("$.") for error in VALIDATOR.iter_errors(document)]


def test_the_file_is_what_make_crds_writes() -> None:
    jsonschema.Draft7Validator.check_schema(editor_schema())
    assert json.loads(FOR_EDITORS.read_text()) == editor_schema(), "say `make crds`"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_names_the_schema_in_its_first_line_and_complies_with_it(example: Path) -> None:
    text = example.read_text()
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)

    assert named
    assert (example.parent / named[1]).resolve() == FOR_EDITORS
    for document in load_objects(text):
        assert mistakes_in(document) == []


def test_each_experiment_that_the_tests_have_complies() -> None:
    assert SEEDS
    for document in SEEDS:
        assert mistakes_in(document) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (spec("parallelTrials", to=3), "spec"),
        (spec("objective", "metric", to="loss"), "spec.objective"),
        (spec("objective", to=None), "spec"),
        (spec("objective", "type", to="smallest"), "spec.objective.type"),
        (spec("objective", "objectiveMetricName", to=""), "spec.objective.objectiveMetricName"),
        (spec("maxTrialCount", to=0), "spec.maxTrialCount"),
        (spec("maxTrialCount", to="12"), "spec.maxTrialCount"),
        (parameter(parameterType="real"), "spec.parameters[0].parameterType"),
        (
            parameter(parameterType="double", feasibleSpace={"min": 0.01, "max": "1"}),
            "spec.parameters[0].feasibleSpace.min",
        ),
        (spec("trialTemplate", "primaryContainer", to="main"), "spec.trialTemplate"),
        (setting("kind", to="Trial"), "kind"),
        (setting("apiVersion", to="kubeflow.org/v1"), "apiVersion"),
        (setting("spec", to=None), "$"),
    ],
)
def test_an_editor_marks_a_mistake_at_its_place(change: Change, path: str) -> None:
    document = copy.deepcopy(SEED)
    change(document)

    assert mistakes_in(document) == [path]


def test_the_job_of_a_trial_and_the_status_may_have_any_form() -> None:
    document = copy.deepcopy(SEED)
    both(
        spec("trialTemplate", "trialSpec", "spec", "anything", to=[1]),
        setting("status", to={"trials": 3}),
        setting("metadata", "annotations", to={"a": "b"}),
    )(document)

    assert mistakes_in(document) == []
