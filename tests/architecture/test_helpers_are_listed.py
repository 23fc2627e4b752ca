"""tests/README.md lists each helper of the tests, and no other file."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT, files

TESTS = ROOT / "tests"
DATA = {"data", "goldens", "modules", "corpus"}


def helpers() -> set[str]:
    """Return the modules below tests/ that are not tests themselves, as README.md names them."""
    paths = (path.relative_to(TESTS) for path in files() if path.is_relative_to(TESTS))
    return {
        path.as_posix()
        for path in paths
        if path.suffix == ".py"
        and not path.name.startswith("test_")
        and DATA.isdisjoint(path.parts)
    }


def test_each_helper_is_listed_once() -> None:
    text = (TESTS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([\w/]+\.py)` \| \S", text, re.MULTILINE)

    assert len(listed) == len(set(listed))
    assert helpers() - set(listed) == set(), "add a row to tests/README.md"
    assert set(listed) - helpers() == set(), "remove or rename the row in tests/README.md"
