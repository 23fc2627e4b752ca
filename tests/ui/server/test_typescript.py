"""The types of the pages are those of the API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.architecture.tree import ROOT
from ui.server.openapi import document
from ui.server.operations import operations
from ui.server.typescript import types


def test_the_types_of_the_pages_are_those_of_the_api(golden: Callable[[Path, str], None]) -> None:
    golden(ROOT / "web" / "src" / "api.ts", types())


def test_the_document_describes_each_operation_once() -> None:
    table = operations()
    found = document(table)

    described = [one["operationId"] for path in found["paths"].values() for one in path.values()]
    assert sorted(described) == sorted(one.name for one in table)
    assert found["openapi"] == "3.1.0"
