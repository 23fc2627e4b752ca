"""No text of the project uses the words that CONTRIBUTING.md replaces (section "Language")."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files

WORDS = re.compile(
    r"\b(?:whoever|everybody|of ours|by and by|(?:is|are) to be|has it that|be had)\b",
    re.IGNORECASE,
)
NAMES = {"told", "turn"}
"""These say nothing about what they name."""
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
KINDS = {".c", ".h", ".md", ".py", ".toml", ".yaml"}
# Texts of others, and the two files that show the words.
EXEMPT = (
    "api/v1beta1/",
    "examples/logs/",
    "CONTRIBUTING.md",
    "tests/architecture/test_plain_words.py",
)


def texts() -> list[Path]:
    return [
        path
        for path in files()
        if path.suffix in KINDS
        and not path.relative_to(ROOT).as_posix().startswith(EXEMPT)
        and "data" not in path.relative_to(ROOT).parts
    ]


def named_in(path: Path) -> set[str]:
    """Return the names that a Python file gives: to variables, arguments, functions and classes."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return (
        {node.id for node in nodes if isinstance(node, ast.Name)}
        | {node.arg for node in nodes if isinstance(node, ast.arg)}
        | {node.name for node in nodes if isinstance(node, DEFINITIONS)}
    )


def test_each_name_is_a_plain_one() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in texts()
        if path.suffix == ".py"
        for name in sorted(named_in(path))
        if name.strip("_").lower() in NAMES
    ]

    assert found == [], "name the thing: what was reported, sent or counted"


def test_each_text_uses_plain_words() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]!r}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for match in WORDS.finditer(line)
    ]

    assert found == [], "name the subject, then the verb (CONTRIBUTING.md, Language)"


@pytest.mark.parametrize(
    "text", ["Whoever asks gets it", "what is to be done", "a name of ours", "cannot be had"]
)
def test_such_a_word_would_be_found(text: str) -> None:
    assert WORDS.search(text)


@pytest.mark.parametrize("text", ["hours", "for each of our trials", "it must be done", "had"])
def test_other_words_are_plain(text: str) -> None:
    assert not WORDS.search(text)
