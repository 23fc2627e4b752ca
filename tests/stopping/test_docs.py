"""docs/algorithms.md names every rule of early stopping, its settings and their defaults."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from stopping.registry import BUILT_IN, find
from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs" / "algorithms.md").read_text()
ROWS = dict(re.findall(r"^\| `([^`]+)` \|(.+)\|$", TEXT, re.MULTILINE))
SHOWN = {"None": "none", "inf": "none", "-inf": "none", "": "the objective"}


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_names_each_setting_with_its_default(name: str) -> None:
    algorithm = find(name)
    documented = dict(re.findall(r"`([a-z_]+)` \(([^)]+)\)", ROWS[name].split("|")[-1]))
    rule: Any = algorithm.make()
    defaults = {one.name: str(getattr(rule, one.name)) for one in dataclasses.fields(rule)}
    expected = {one.name: defaults[one.name] for one in algorithm.settings}
    if name == "hyperband-stop":
        expected["max_resource"] = "required"

    assert documented == {setting: SHOWN.get(text, text) for setting, text in expected.items()}
