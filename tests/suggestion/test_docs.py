"""docs/algorithms.md names every algorithm, setting and default."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from suggestion.algorithms.median_stop import MedianStop
from suggestion.core.registry import BUILT_IN, find

TEXT = (Path(__file__).parents[2] / "docs" / "algorithms.md").read_text()
ROWS = dict(re.findall(r"^\| `([^`]+)` \|(.+)\|$", TEXT, re.MULTILINE))


def test_it_has_a_row_for_each_algorithm() -> None:
    assert BUILT_IN.keys() <= ROWS.keys()


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_names_each_setting_with_its_default(name: str) -> None:
    algorithm = find(name)
    search = algorithm.make()
    told = set(re.findall(r"`([a-zA-Z_]+)`", ROWS[name].split("|")[-1]))
    defaults = {field.name: getattr(search, field.name) for field in dataclasses.fields(search)}  # type: ignore[arg-type]

    assert told == {rule.name for rule in algorithm.rules} | {"random_state"}
    for setting, default in defaults.items():
        shown = "1/6" if (name, setting) == ("cmaes", "sigma") else str(default)
        assert re.search(rf"`{setting}`[^`]*\({re.escape(shown)}\)", ROWS[name]), setting


def test_it_names_the_settings_of_early_stopping() -> None:
    for field in dataclasses.fields(MedianStop):
        assert ROWS[field.name].rsplit("|", 1)[-1].strip() == str(field.default)
