"""docs/experiment.md: its two Experiments run on this machine, and what it says of a run is true."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from manifests.schema.editor import editor_schema
from runner.pods.pod_spec import ignored_fields
from tests.architecture.tree import ROOT
from trialwatch.__main__ import main
from trialwatch.checks.validity import verdict_here

TEXT = (ROOT / "docs" / "experiment.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
TRIALS = {"smallest": 4, "complete": 6}
OPTIONAL = [("spec", "maxTrialCount")]
"""What the page says of the smallest Experiment: all else is required."""
FOR_A_CLUSTER = "image"


def named(name: str) -> tuple[str, dict[str, Any]]:
    for text in BLOCKS:
        document: Any = load_objects(text)[0]
        if document["metadata"]["name"] == name:
            return text, document
    raise KeyError(name)


def ways(node: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to each member of a document."""
    pairs = node.items() if isinstance(node, dict) else ()
    for key, member in [*pairs, *(enumerate(node) if isinstance(node, list) else ())]:
        if isinstance(key, str):
            yield (*way, key)
        yield from ways(member, (*way, key))


def without(document: dict[str, Any], way: tuple[str | int, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    holder: Any = changed
    for step in way[:-1]:
        holder = holder[step]
    del holder[way[-1]]
    return changed


@pytest.mark.parametrize("name", TRIALS)
def test_an_experiment_of_the_page_runs_to_its_optimal_trial(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("experiment.yaml").write_text(named(name)[0])

    assert main(["run", "experiment.yaml", "--output", "json"]) == 0
    status = json.loads(capfd.readouterr().out)["status"]
    assert status["trials"] == TRIALS[name]
    assert not status.get("trialsFailed")
    assert status["currentOptimalTrial"]["bestTrialName"].startswith(name)


@pytest.mark.parametrize("name", TRIALS)
def test_an_experiment_of_the_page_is_valid_here_on_a_cluster_and_in_an_editor(name: str) -> None:
    document = named(name)[1]

    verdict = verdict_here(document, ())

    assert (verdict.faults, verdict.warnings) == ((), ())
    jsonschema.Draft7Validator(editor_schema()).validate(document)


def test_every_line_of_the_smallest_experiment_is_required_but_one(tmp_path: Path) -> None:
    document = named("smallest")[1]
    file = tmp_path / "e.yaml"

    needless = []
    for way in ways(document):
        file.write_text(dump_objects([without(document, way)]))
        if way[-1] != FOR_A_CLUSTER and main(["validate", str(file)]) == 0:
            needless.append(way)

    assert needless == OPTIONAL


def test_the_fields_of_containers_without_effect_are_those_of_the_page() -> None:
    [row] = re.findall(
        r"^\| a container's (.*) \| no effect, with a warning \|$", TEXT, re.MULTILINE
    )
    names = re.findall(r"`(\w+)`", row)
    container: dict[str, Any] = {
        name: {} for name in (*names, "readinessProbe", "resources", "image")
    }

    faults = ignored_fields({"spec": {"containers": [container]}})

    assert sorted(fault.path.rpartition(".")[2] for fault in faults) == sorted(names)
