"""Lines that frameworks print; the metrics' names suffice to find them (data/frameworks.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from filters.extractor import Extractor, extraction_spec

ENTRIES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "frameworks.yaml").read_text()
)


@pytest.mark.parametrize(
    "entry", ENTRIES, ids=[f"{number} {entry['framework']}" for number, entry in enumerate(ENTRIES)]
)
def test_what_a_framework_prints_is_found(entry: dict[str, Any]) -> None:
    stream = entry["text"].encode()
    whole, bytewise = (
        Extractor(extraction_spec(entry["metrics"])),
        Extractor(extraction_spec(entry["metrics"])),
    )
    found = whole.feed(stream) + whole.finish()
    assert [[point.line, point.name, point.value] for point in found] == entry["points"]
    parts = [point for byte in stream for point in bytewise.feed(bytes([byte]))]
    assert parts + bytewise.finish() == found


def test_the_table_has_many_frameworks() -> None:
    assert len({entry["framework"] for entry in ENTRIES if entry["points"]}) >= 30
