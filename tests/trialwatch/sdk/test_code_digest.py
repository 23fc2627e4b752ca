"""A changed function is another search, and the same function continues: also in a new process."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from trialwatch.sdk.code_digest import code_digest

BEFORE = """
import math
EPOCHS = 5
WORDS = {"a": 1, "b": [1, 2]}
class Net:
    depth = 2
    def go(self, lr): return lr * EPOCHS
def helper(lr): return Net().go(lr)
def train(lr, layers=3):
    if lr in {"x", "y", "z"}:
        return [helper(one) for one in WORDS]
    return (lambda: helper(lr))() + math.pi
"""


def module(source: str) -> dict[str, Any]:
    made = types.ModuleType("a_training")
    exec(source, made.__dict__)  # as a notebook does
    return made.__dict__


def digest(source: str) -> str:
    return code_digest(module(source)["train"])


def test_a_comment_or_a_moved_line_changes_nothing() -> None:
    moved = BEFORE.replace("def train", "# more\n\n\nOTHER = 3\ndef train")

    assert digest(moved) == digest(BEFORE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("math.pi", "math.e"),
        ("layers=3", "layers=4"),
        ("EPOCHS = 5", "EPOCHS = 6"),
        ("depth = 2", "depth = 3"),
        ("lr * EPOCHS", "lr + EPOCHS"),
        ("Net().go(lr)", "Net().go(lr) + 1"),
        ('"b": [1, 2]', '"b": [1, 3]'),
        ('"x", "y"', '"x", "w"'),
    ],
)
def test_what_the_function_uses_counts(old: str, new: str) -> None:
    assert digest(BEFORE.replace(old, new)) != digest(BEFORE)


def test_it_is_the_same_in_each_process() -> None:
    program = f"""
import types
from trialwatch.sdk.code_digest import code_digest
made = types.ModuleType("a_training")
exec({BEFORE!r}, made.__dict__)
print(code_digest(made.train))
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert outputs == {digest(BEFORE)}


def test_the_values_of_a_closure_and_of_a_partial_count() -> None:
    def make(epochs: int) -> Callable[[float], float]:
        return lambda lr: lr * epochs

    assert code_digest(make(1)) == code_digest(make(1))
    assert code_digest(make(1)) != code_digest(make(2))
    assert code_digest(partial(make, 1)) != code_digest(partial(make, 2))


def test_functions_that_use_each_other_and_themselves_end() -> None:
    source = "LOOP = []\nLOOP.append(LOOP)\ndef other(): train(LOOP)\ndef train(lr): return other()"

    assert digest(source) == digest(source)
