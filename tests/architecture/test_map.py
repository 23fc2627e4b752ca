"""ARCHITECTURE.md and the tree agree; nothing imports in a circle."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.imports import (
    between_files,
    between_folders,
    between_packages,
    between_subpackages,
    circle_in,
    summary,
    table,
)
from tests.architecture.tree import ROOT, folders, packages

MAP = ROOT / "ARCHITECTURE.md"
DRAWN = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
DOCUMENTS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"]


def section(title: str) -> str:
    return MAP.read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_map_names_each_folder_and_no_other() -> None:
    named = re.findall(r"^\| `(\w+)/` \|", section("The map"), re.MULTILINE)

    assert sorted(named) == folders()


def test_the_map_draws_the_imports_of_the_tree(golden: Callable[[Path, str], None]) -> None:
    text = MAP.read_text(encoding="utf-8")

    golden(MAP, DRAWN.sub(lambda _: summary(), text, count=1))


def test_the_table_has_a_line_for_each_folder() -> None:
    lines = dict(re.findall(r"^(\S+) +(.*)$", table(), re.MULTILINE))

    assert set(packages()) <= set(lines)
    assert lines["api.types"] == "-"
    assert lines["filters"] == "api api.types"
    assert "controller.reconcile" in lines["controller.driver"].split()


def test_the_program_prints_the_table() -> None:
    command = [sys.executable, "-m", "tests.architecture"]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stdout == table()


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert circle_in(between_files()) == []


def test_no_folder_imports_itself_by_way_of_others() -> None:
    assert circle_in(between_folders()) == []
    assert circle_in(between_packages()) == []
    assert [circle_in(between_subpackages(package)) for package in between_packages()] == [
        [] for _ in between_packages()
    ]


def test_a_circle_would_be_found() -> None:
    circle = circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})

    assert circle[0] == circle[-1]
    assert set(circle) == {"a", "b", "c"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_file_that_a_document_names_is_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    tops = "|".join([*folders(), r"\.ci"])
    named = re.findall(rf"`((?:{tops})/[\w./-]*)`", text)

    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_glossary_explains_each_word_once() -> None:
    words = re.findall(r"^\| (.+?) \|", section("Glossary"), re.MULTILINE)

    assert len(words) == len(set(words)) > 1
