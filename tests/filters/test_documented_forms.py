"""The table in docs/collector.md: what the default matcher stores, and what not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from filters.extractor import Extractor, extraction_spec

PAGE = (Path(__file__).parents[2] / "docs" / "collector.md").read_text()
ROWS = re.findall(r"^\| (`.*`) \| `([^`]+)` \| (\S+) \|$", PAGE, re.MULTILINE)
FORMS = [
    (text, metric, [] if stored == "nothing" else [stored])
    for texts, metric, stored in ROWS
    for text in re.findall(r"`([^`]+)`", texts)
]


@pytest.mark.parametrize(("text", "metric", "expected"), FORMS)
def test_what_the_table_says_is_stored(text: str, metric: str, expected: list[str]) -> None:
    printed = text.replace("⏎", "\n").replace("¦", "|")
    extractor = Extractor(extraction_spec([metric]))
    found = extractor.feed(printed.encode()) + extractor.finish()
    assert [point.value for point in found] == expected


def test_the_table_has_values_and_silences() -> None:
    assert len(FORMS) > 40
    assert {bool(expected) for _, _, expected in FORMS} == {True, False}
