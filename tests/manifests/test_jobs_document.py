"""docs/jobs.md: its table is true of the manifests, the defaults and the examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from api import names
from api.installation.trial_kinds import DEFAULT_KINDS
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from api.objects.validation import faults_of
from api.objects.yamltext import load_objects
from api.types import JsonObject, TrialTemplate
from controller.reconcile.jobs import matching_object
from tests.manifests.kustomize import MANIFESTS, ROOT, with_component
from tests.manifests.rendered_objects import overlay
from tests.manifests.test_rights import ANYWHERE, right, rights_of

TEXT = (ROOT / "docs" / "jobs.md").read_text()
EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples" / "jobs").glob("*.yaml"))}
COMPONENTS = sorted(path.name for path in (MANIFESTS / "components" / "jobs").iterdir())
# Between the kind and its pods are these, beside Jobs, which the webhook watches.
BETWEEN = {"RayJob": {"rayclusters"}, "PipelineRun": {"taskruns"}}
NEITHER = "not run: "
ENDED: dict[str, JsonObject] = {
    "jobset": {"conditions": [{"type": "Completed", "status": "True"}]},
    "rayjob": {"jobStatus": "SUCCEEDED", "jobDeploymentStatus": "Complete"},
    "workflow": {"phase": "Succeeded"},
}
FAILED: list[tuple[str, JsonObject]] = [
    ("jobset", {"conditions": [{"type": "Failed", "status": "True"}]}),
    ("rayjob", {"jobStatus": "FAILED", "jobDeploymentStatus": "Failed"}),
    ("rayjob", {"jobDeploymentStatus": "Failed"}),
    ("rayjob", {"jobStatus": "STOPPED", "jobDeploymentStatus": "Complete"}),
    ("workflow", {"phase": "Failed"}),
    ("workflow", {"phase": "Error"}),
]


class Row(NamedTuple):
    kind: str
    group: str
    found: str
    primary: str
    ends: str
    rights: str
    test: str


def rows() -> list[Row]:
    lines = re.findall(r"^\| `(\w+)` of `([\w.-]+)` \|(.*)\|$", TEXT, re.MULTILINE)
    return [Row(kind, group, *map(str.strip, rest.split("|"))) for kind, group, rest in lines]


ROWS = {row.kind: row for row in rows()}


def template_of(example: Path) -> TrialTemplate:
    (document,) = load_objects(example.read_text())
    template = with_defaults(parse_experiment(document)).spec.trial_template
    assert template is not None
    return template


def test_each_kind_that_is_allowed_by_default_has_a_row() -> None:
    assert {(row.kind, row.group) for row in rows()} == {
        (kind.kind, kind.group) for kind in DEFAULT_KINDS
    }


@pytest.mark.parametrize("kind", ROWS)
def test_with_what_its_row_names_the_controller_runs_a_kind_and_the_webhook_finds_its_owners(
    tmp_path: Path, kind: str
) -> None:
    row = ROWS[kind]
    plural = f"{row.group}/{kind.lower()}s"
    runs = right(ANYWHERE, plural, "get list watch create delete")
    above = {f"{row.group}/{resource}" for resource in BETWEEN.get(kind, ())}
    plain = overlay("standalone")
    rendered = plain
    if row.rights != "installed":
        (component,) = re.fullmatch(r"component `(jobs/\w+)`", row.rights).groups()  # type: ignore[union-attr]
        rendered = with_component(tmp_path, component)
        assert rights_of(names.OWN_CONTROLLER, rendered) - rights_of(
            names.OWN_CONTROLLER, plain
        ) == {runs}

    assert runs in rights_of(names.OWN_CONTROLLER, rendered)
    may_read = {
        f"{one.group}/{one.resource}"
        for one in rights_of(names.OWN_WEBHOOK, rendered)
        if "get" in one.verbs
    }
    assert {plural, *above} <= may_read


def test_each_component_has_a_row_and_says_how_it_is_chosen() -> None:
    named = {row.rights for row in rows()}

    for name in COMPONENTS:
        assert f"component `jobs/{name}`" in named
        text = (MANIFESTS / "components" / "jobs" / name / "kustomization.yaml").read_text()
        assert f"components: [../manifests/components/jobs/{name}]" in text


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_names_a_test_that_is_there_or_the_reason_why_none_is(kind: str) -> None:
    test = ROWS[kind].test

    files = re.findall(r"`(tests/[\w/.]+)`", test)
    assert test.startswith(NEITHER) != bool(files)
    for file in files:
        assert (ROOT / file).is_file()
        if file.endswith("test_kinds.py"):
            assert f'"{kind.lower()}"' in (ROOT / file).read_text()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_no_fault_and_its_row_says_what_it_sets(name: str) -> None:
    (document,) = load_objects(EXAMPLES[name].read_text())
    experiment = with_defaults(parse_experiment(document))
    given = yaml.safe_load(EXAMPLES[name].read_text())["spec"]["trialTemplate"]
    row = ROWS[given["trialSpec"]["kind"]]

    assert faults_of(experiment, check_filter=lambda _: None) == ()
    assert row.ends == ("set them" if "successCondition" in given else "by default")
    assert row.primary.startswith("set them") == ("primaryPodLabels" in given)


@pytest.mark.parametrize(("name", "status"), ENDED.items())
def test_the_conditions_of_an_example_hold_at_a_good_end_and_not_before(
    name: str, status: JsonObject
) -> None:
    template = template_of(EXAMPLES[name])

    assert matching_object({"status": status}, template.success_condition) is not None
    assert matching_object({"status": status}, template.failure_condition) is None
    documents: list[JsonObject] = [
        {},
        {"status": {}},
        {"status": {"phase": "Running", "jobStatus": "RUNNING"}},
    ]
    for running in documents:
        assert matching_object(running, template.success_condition) is None
        assert matching_object(running, template.failure_condition) is None


@pytest.mark.parametrize(("name", "status"), FAILED)
def test_the_failure_condition_of_an_example_holds_at_each_bad_end(
    name: str, status: JsonObject
) -> None:
    failure = template_of(EXAMPLES[name]).failure_condition

    assert matching_object({"status": status}, failure) is not None
