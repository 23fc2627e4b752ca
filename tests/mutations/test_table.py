"""The table of mutations fits the product: each row changes one line, and names tests that exist."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.mutations.table import Mutation, StaleRow, mutations, promises

ROWS = mutations()
MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_ten_promises_are_those_of_the_map() -> None:
    section = MAP.split("## The promises\n")[1].split("\n## ")[0]

    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)) == promises()
    assert len(promises()) == 10


def test_each_promise_has_several_mutations_and_all_have_forty() -> None:
    counts = Counter(row.promise for row in ROWS)

    assert counts.keys() == promises().keys()
    assert min(counts.values()) >= 4
    assert len(ROWS) >= 40


def test_no_two_mutations_have_one_name() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_changes_a_line_that_is_there(row: Mutation) -> None:
    text = (ROOT / row.file).read_text(encoding="utf-8")

    assert row.mutated(text) != text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_names_tests_that_are_there(row: Mutation) -> None:
    assert row.tests
    for test in row.tests:
        path, *names = re.sub(r"\[.*", "", test).split("::")
        assert (ROOT / path).is_file(), test
        # A test of a contract is in the contract's own file.
        assert not names or _defines(names[-1], ROOT / path), test


def _defines(name: str, path: Path) -> bool:
    places = [path, *(ROOT / "tests" / "contracts").rglob("*.py")]
    return any(re.search(rf"\bdef {name}\(", place.read_text("utf-8")) for place in places)


ROW = Mutation(promise="kept", name="n", file="f.py", old="x = 1", new="x = 2", tests=("t",))


def test_the_new_line_has_the_indentation_of_the_old_one() -> None:
    assert ROW.mutated("def f():\n    x = 1\n    y = 1\n") == "def f():\n    x = 2\n    y = 1\n"


@pytest.mark.parametrize(
    ("text", "words"), [("x = 3\n", "no longer in f.py"), ("x = 1\nx = 1\n", "2 times in f.py")]
)
def test_a_line_that_is_not_there_once_says_which_row_to_renew(text: str, words: str) -> None:
    with pytest.raises(StaleRow, match=words) as stale:
        ROW.mutated(text)

    assert "renew the row in promises/kept.toml" in str(stale.value)
