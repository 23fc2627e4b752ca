"""docs/tune.md names every flag of `trialwatch tune`, and no other; its spaces are spaces."""

from __future__ import annotations

import argparse
import re

from tests.architecture.tree import ROOT
from trialwatch.commands import init, tune
from trialwatch.tuning.options import read_param
from trialwatch.tuning.request import TRIALS

TEXT = (ROOT / "docs" / "tune.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def test_each_flag_has_a_row_and_each_row_its_flag() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    tune.add_arguments(parser)
    flags = {text for action in parser._actions for text in action.option_strings}  # noqa: SLF001
    cells = re.findall(r"^\| (`--.*?) \| ", section("Flags"), re.MULTILINE)
    rows = [flag for cell in cells for flag in re.findall(r"`(--[a-z-]+)", cell)]

    assert sorted(rows) == sorted(flags)
    assert f"| {TRIALS} |" in section("Flags")


def test_each_flag_of_init_is_named() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    init.add_arguments(parser)
    flags = {text for action in parser._actions for text in action.option_strings}  # noqa: SLF001

    assert all(f"`{flag}`" in section("The same as a file") for flag in flags)


def test_each_space_can_be_written_so() -> None:
    cells = re.findall(r"^\| (`\w+=.*?) \| ", section("Spaces"), re.MULTILINE)
    texts = [text for cell in cells for text in re.findall(r"`(\w+=[^`]*)`", cell)]

    assert len(texts) >= 8
    assert all(read_param(text) for text in texts)
