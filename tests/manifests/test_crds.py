"""The CRDs come from the readers, describe each field, and accept the objects of Katib's users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.objects.experiments import render_experiment
from api.objects.suggestions import render_suggestion
from api.objects.trials import render_trial
from api.objects.yamltext import load_objects
from api.types import Experiment, JsonObject, Suggestion, Trial
from manifests.schema.__main__ import FOLDER, HEAD
from manifests.schema.documents import (
    EXPERIMENT,
    KINDS,
    MORE,
    READ_BY_RULES,
    SUGGESTION,
    TRIAL,
    Kind,
    document,
    schema,
)
from manifests.schema.rules import RULES
from manifests.schema.texts import TEXTS, text_of
from tests.api.any_value import any_value
from tests.manifests.crd_admission import complaints_of_form, pruned


def places(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each place of a schema with its path."""
    yield path, node
    for name, member in node.get("properties", {}).items():
        yield from places(member, f"{path}.{name}" if path else name)
    if "items" in node:
        yield from places(node["items"], f"{path}[]")


PLACES = {kind.kind: dict(places(schema(kind))) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_file_is_what_make_crds_writes(kind: Kind) -> None:
    text = (FOLDER / f"{kind.plural}.yaml").read_text()

    assert text.startswith(HEAD)
    assert load_objects(text) == [document(kind)], "say `make crds`, and review the diff as code"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_field_is_explained(kind: Kind) -> None:
    silent = [
        path
        for path, node in PLACES[kind.kind].items()
        if "." in path and not path.endswith("[]") and "description" not in node
    ]

    assert silent == []


def test_every_text_is_of_a_field() -> None:
    paths = {path for places_of in PLACES.values() for path in places_of}
    # The text of each place names one entry; an entry that no place names is never shown.
    used = {end for path in paths for end in TEXTS if text_of(path) == TEXTS[end]}

    assert used == TEXTS.keys()


@pytest.mark.parametrize("path", sorted({*MORE, *READ_BY_RULES, *RULES}))
def test_what_is_added_to_the_readers_knowledge_has_its_place(path: str) -> None:
    assert path in PLACES[EXPERIMENT.kind]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_place_has_a_type(kind: Kind) -> None:
    for path, node in PLACES[kind.kind].items():
        assert ("type" in node) != ("x-kubernetes-int-or-string" in node), path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_what_is_of_any_form_stays_so(kind: Kind) -> None:
    free = {
        path.rsplit(".", 1)[-1]
        for path, node in PLACES[kind.kind].items()
        if node.get("x-kubernetes-preserve-unknown-fields") and not path.startswith("status")
    }

    assert free <= {"trialSpec", "runSpec", "customCollector", "metadata"}


NOUNS: list[Any] = [
    pytest.param(EXPERIMENT, Experiment, render_experiment, id=EXPERIMENT.kind),
    pytest.param(SUGGESTION, Suggestion, render_suggestion, id=SUGGESTION.kind),
    pytest.param(TRIAL, Trial, render_trial, id=TRIAL.kind),
]


@pytest.mark.parametrize(("kind", "noun", "render"), NOUNS)
@given(data=st.data())
@settings(suppress_health_check=list(HealthCheck))
def test_whatever_our_programs_write_the_server_keeps(
    kind: Kind, noun: type, render: Callable[[Any], JsonObject], data: st.DataObject
) -> None:
    written = render(data.draw(any_value(noun)))
    made: dict[str, Any] = schema(kind)

    assert pruned(made, written) == written
    # A parameter without a name is among them, too, and an Experiment with one is none.
    said = [message for _, message in complaints_of_form(made, written)]
    assert set(said) <= {"'name' is a required property"}


def test_the_columns_are_katibs() -> None:
    crds: dict[str, Any] = {kind.kind: document(kind) for kind in KINDS}
    columns = {
        kind: [
            (column["name"], column["type"], column["jsonPath"])
            for column in crd["spec"]["versions"][0]["additionalPrinterColumns"]
        ]
        for kind, crd in crds.items()
    }
    state = [
        ("Type", "string", ".status.conditions[-1:].type"),
        ("Status", "string", ".status.conditions[-1:].status"),
    ]
    age = ("Age", "date", ".metadata.creationTimestamp")

    assert columns == {
        "Experiment": [*state, age],
        "Suggestion": [
            *state,
            ("Requested", "string", ".spec.requests"),
            ("Assigned", "string", ".status.suggestionCount"),
            age,
        ],
        "Trial": [*state, age],
    }
