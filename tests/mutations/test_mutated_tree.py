"""Mutations of a small product: those that a test notices are killed, the others survive."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutations.__main__ import main
from tests.mutations.mutated_tree import MutatedTree, Result
from tests.mutations.table import Mutation

PRODUCT = "def twice(number):\n    return 2 * number\n"
TEST = """
import subprocess, sys
from product import twice

def test_two_is_four():
    assert twice(2) == 4

def test_so_it_is_in_another_process():
    code = "from product import twice; print(twice(3))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert run.stdout == "6\\n", run.stderr
"""


@pytest.fixture
def tree(tmp_path: Path) -> MutatedTree:
    source = tmp_path / "source"
    source.mkdir()
    (source / "product.py").write_text(PRODUCT)
    (source / "test_product.py").write_text(TEST)
    return MutatedTree(tmp_path / "copy", source=source)


def mutation(new: str, test: str = "") -> Mutation:
    tests = (f"test_product.py{test}",)
    return Mutation(
        promise="p", name="n", file="product.py", old="return 2 * number", new=new, tests=tests
    )


@pytest.mark.parametrize(
    ("new", "result"),
    [
        ("return 3 * number", Result.FAILED),
        ("return number + number", Result.PASSED),
        ("return number ** 2", Result.FAILED),
        ("return 2 *", Result.BROKEN),
    ],
)
def test_tests_fail_where_they_notice_a_mutation_and_pass_when_it_is_taken_back(
    tree: MutatedTree, new: str, result: Result
) -> None:
    row = mutation(new)

    with tree.with_mutation(row):
        assert tree.run(row.tests, most_seconds=60).result is result
    assert tree.run(row.tests, most_seconds=60).result is Result.PASSED


def test_a_test_that_pytest_does_not_know_shows_nothing(tree: MutatedTree) -> None:
    run = tree.run(["test_product.py::test_missing"], most_seconds=60)

    assert run.result is Result.BROKEN
    assert "not found" in run.output


def test_tests_that_hang_are_ended(tree: MutatedTree) -> None:
    row = mutation("while True: pass")

    with tree.with_mutation(row):
        assert tree.run(row.tests, most_seconds=3).result is Result.HUNG


def test_a_name_that_no_row_has_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "no such words"]) == 2
    assert "'no such words'" in capsys.readouterr().err
