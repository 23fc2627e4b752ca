"""docs/python.md is true: its blocks run, one after the other, and print what it shows."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

from tests.architecture.tree import ROOT
from tests.tour.test_first_hour import pattern
from tests.trialwatch.sdk.python_project import Project
from trialwatch.sdk.spaces import space_text
from trialwatch.sdk.words import Options
from trialwatch.tuning.space import read_space

TEXT = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)

# Runs each block as a notebook does: prints the value of an expression at the end.
NOTEBOOK = """
import ast, json, pathlib, sys, types
made = types.ModuleType("__main__")
sys.modules["__main__"] = made
for block in json.loads(pathlib.Path("blocks.json").read_text()):
    tree = ast.parse(block)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "block", "exec"), made.__dict__)
    value = last and eval(compile(ast.Expression(last.value), "block", "eval"), made.__dict__)
    if value is not None:
        print(value)
    print("-- end of a block", flush=True)
"""


def test_the_blocks_of_the_page_print_what_it_shows(tmp_path: Path) -> None:
    project = Project(tmp_path)
    blocks = BLOCK.findall(TEXT)
    project.write("notebook.py", NOTEBOOK)
    project.write("blocks.json", json.dumps([code for code, _ in blocks]))

    status, out, err = project.call("notebook.py")

    assert status == 0, err
    printed = out.split("-- end of a block\n")
    assert len(printed) == len(blocks) + 1
    for (code, output), text in zip(blocks, printed, strict=False):
        assert pattern(output.rstrip("\n") or "…").fullmatch(text), f"{code}\nprinted:\n{text}"


def test_each_space_of_the_page_is_its_text() -> None:
    rows = re.findall(r"^\| (`.*?) \| .*? \| (.*?) \|$", TEXT.split("## Spaces")[1], re.MULTILINE)
    environ = {"__builtins__": {"range": range}, "trialwatch": __import__("trialwatch")}
    for cell, texts in rows:
        spaces = [eval(code, environ) for code in re.findall(r"`([^`]*)`", cell)]
        written = re.findall(r"`([^`]*)`", texts)
        for space, text in zip(spaces, written, strict=False):
            assert space_text("x", space) == text
            assert str(read_space(text)) == text

    assert len(rows) == 6


def test_the_page_names_each_argument() -> None:
    named = re.findall(r"`([a-z]\w*)`", TEXT.split("## Arguments")[1].split("\n## ")[0])

    assert named == [one.name for one in fields(Options)]
