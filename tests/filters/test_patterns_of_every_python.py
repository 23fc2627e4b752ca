"""Our patterns mean the same in every Python that we support, from 3.11.0 on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "collector", "filters", "trialwatch", "webhook")
POSSESSIVE_GROUP = re.compile(rb"(?<!\\)\)(?:[?*+]|\{\d*,?\d*\})\+")
"""Before Python 3.11.5, `re` loses matches of a possessive group (CPython's issue 106052)."""


@pytest.mark.parametrize("package", PACKAGES)
def test_no_pattern_has_a_possessive_group(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, text in _texts(path)
        if POSSESSIVE_GROUP.search(text)
    ]

    assert not found, "write (?>(?:...)?) in place of (?:...)?+"


def _texts(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the strings in a module with their lines, but no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            if isinstance(node.value, str):
                yield node.lineno, node.value.encode(errors="replace")
            elif isinstance(node.value, bytes):
                yield node.lineno, node.value
