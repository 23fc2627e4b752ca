"""Each package of an extra has its row in docs/dependencies.md, and each row has its package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_dependency_says_what_it_is_for() -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = whole["project"], whole["dependency-groups"]
    lists = [
        whole["build-system"]["requires"],
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *(requirements for name, requirements in groups.items() if name != "all"),
    ]
    needed = {
        re.split(r"[\[<>=!~ ]", requirement)[0]
        for requirements in lists
        for requirement in requirements
    }
    section = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", section, re.MULTILINE)
    explained = {name for row in rows for name in row.split(", ")} - {"package"}
    assert explained == needed
