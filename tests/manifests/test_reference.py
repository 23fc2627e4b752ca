"""docs/experiment.md: its tables come from the schema and from admission, and have each field once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from manifests.schema.__main__ import REFERENCE
from manifests.schema.reference import BEGIN, END, REPEATED, STRATEGIES, places, with_reference
from manifests.schema.reference_defaults import admission_defaults, values_of
from manifests.schema.reference_notes import MORE_LIMITS, NOTES
from tests.manifests.test_crds import PLACES
from tests.manifests.user_mistakes import SEEDS

TEXT = REFERENCE.read_text(encoding="utf-8")
ROWS: list[tuple[str, str]] = re.findall(
    r"^\| `([\w.\[\]]+)` \| (.*) \|$", TEXT.partition(BEGIN)[2], re.MULTILINE
)
PATHS = [place.path for place in places()]


def cells(path: str) -> list[str]:
    [row] = [rest for name, rest in ROWS if name == path]
    return row.split(" | ")


def test_the_tables_are_what_make_crds_writes(golden: Callable[[Path, str], None]) -> None:
    golden(REFERENCE, with_reference(TEXT))


def test_text_written_by_hand_stays_outside_the_marks() -> None:
    text = f"before\n{BEGIN}old\n{END}after\n"

    renewed = with_reference(text)

    assert renewed.startswith(f"before\n{BEGIN}\n### ")
    assert renewed.endswith(f"\n{END}after\n")
    assert "old\n" not in renewed
    assert with_reference(renewed) == renewed


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_a_document_without_both_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has no generated part"):
        with_reference(text)


def test_each_field_of_the_schema_has_one_row() -> None:
    fields = [
        path
        for path in PLACES["Experiment"]
        if "." in path and not path.endswith("[]") and not path.startswith(f"{REPEATED}[]")
    ]

    assert sorted(name for name, _ in ROWS if "." in name and name[:8] != "metadata") == sorted(
        fields
    )


def test_each_note_is_about_a_field() -> None:
    assert {*NOTES, *MORE_LIMITS} <= {*PATHS}


def test_the_defaults_are_those_that_admission_adds_to_experiments() -> None:
    documented = {
        (path, value) for path, values in admission_defaults().items() for value in values
    }
    for document in SEEDS:
        given = parse_experiment(document)
        added = {*values_of(with_defaults(given).spec)} - {*values_of(given.spec)}

        names = {(path, value) for path, value in added if path == f"{STRATEGIES}[].name"}
        # The smaller of 3 and maxTrialCount.
        counts = {(path, value) for path, value in added if path == "spec.parallelTrialCount"}
        assert added - names - counts <= documented


@pytest.mark.parametrize(
    ("path", "kind", "default", "allowed"),
    [
        ("spec.maxTrialCount", "integer", "", "from 1"),
        ("spec.parallelTrialCount", "integer", "`3`; `1` with `maxTrialCount: 1`", None),
        ("spec.objective.type", "string", "required", "`minimize`, `maximize`"),
        ("spec.trialTemplate.configMap.templatePath", "string", "required", ""),
        ("spec.trialTemplate.primaryPodLabels", "map of strings", None, ""),
        ("spec.trialTemplate.trialSpec", "object of any form", "", None),
        ("spec.metricsCollectorSpec.source.httpGet.port", "integer or string", None, None),
        ("spec.parameters[].feasibleSpace.list", "list of strings", "", None),
    ],
)
def test_a_row_has_type_default_and_limits(
    path: str, kind: str, default: str | None, allowed: str | None
) -> None:
    shown = cells(path)

    assert shown[0] == kind
    assert default is None or shown[1] == default
    assert allowed is None or shown[2] == allowed


def test_what_depends_on_another_field_is_shown_with_it() -> None:
    default = cells("spec.metricsCollectorSpec.source.fileSystemPath.path")[1]

    assert default == (
        "`/var/log/katib/metrics.log` with `kind: File`;"
        " `/var/log/katib/tfevent/` with `kind: TensorFlowEvent`"
    )
