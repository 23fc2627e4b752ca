"""Parts of documents whose shape is not known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import items_at, mapping_at, mappings_at, text_at, value_at
from api.types import Json
from tests.api.any_value import JSON, TEXTS

_POD: Json = {
    "metadata": {"name": "trial-1", "labels": {"app": "digits"}, "generation": 3},
    "spec": {"containers": [{"name": "training"}, "not a container", {"name": "sidecar"}]},
}
_PATHS = st.lists(TEXTS, max_size=4)


def test_a_part_is_found_by_its_path() -> None:
    assert value_at(_POD, "metadata", "generation") == 3
    assert text_at(_POD, "metadata", "name") == "trial-1"
    assert mapping_at(_POD, "metadata", "labels") == {"app": "digits"}
    assert mappings_at(_POD, "spec", "containers") == [{"name": "training"}, {"name": "sidecar"}]
    assert items_at(_POD, "spec", "containers")[1] == "not a container"


@pytest.mark.parametrize("path", [("status",), ("metadata", "name", "x"), ("spec", "containers")])
def test_a_part_that_is_missing_or_of_another_type_is_empty(path: tuple[str, ...]) -> None:
    assert text_at(_POD, *path) == ""
    assert mapping_at(_POD, *path) == {}
    assert mappings_at(_POD, *path, "x") == []


@given(JSON, _PATHS)
def test_any_document_has_a_value_of_the_wanted_type_at_any_path(
    document: Json, path: list[str]
) -> None:
    value = value_at(document, *path)

    assert text_at(document, *path) == (value if isinstance(value, str) else "")
    assert mapping_at(document, *path) == (value if isinstance(value, Mapping) else {})
    assert items_at(document, *path) == (value if isinstance(value, list) else [])
    assert all(isinstance(item, Mapping) for item in mappings_at(document, *path))


@given(JSON, _PATHS)
def test_a_value_is_found_at_the_path_where_it_was_put(value: Json, path: list[str]) -> None:
    document = value
    for name in reversed(path):
        document = {name: document}

    assert value_at(document, *path) == value


def test_the_items_are_a_copy() -> None:
    document: Json = {"items": [1]}
    items_at(document, "items").append(2)

    assert document == {"items": [1]}
