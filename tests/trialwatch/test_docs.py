"""docs/looking.md names every flag of `get`, `logs` and `plot`, and no other."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from types import ModuleType

import pytest

from runner.pods.container_log import LIMIT
from runner.state.directory import DEFAULT
from trialwatch.commands import get, logs, migrate, plot, validate

TEXT = (Path(__file__).parents[2] / "docs" / "looking.md").read_text()
COMMANDS = {"get": get, "logs": logs, "plot": plot}


def flags(module: ModuleType) -> set[str]:
    parser = argparse.ArgumentParser(add_help=False)
    module.add_arguments(parser)
    return {text for action in parser._actions for text in action.option_strings}  # noqa: SLF001


def documented(command: str) -> set[str]:
    """Return the flags of the rows that are for all commands, or for this one."""
    rows = re.findall(r"^\| (`-[^|]*)\| (all|`\w+`) \|", TEXT, re.MULTILINE)
    mine = [cell for cell, of in rows if of in ("all", f"`{command}`")]
    return {flag for cell in mine for flag in re.findall(r"`(--?[a-z-]+|-A)", cell)}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_flag_has_a_row_and_each_row_its_flag(command: str) -> None:
    assert documented(command) == flags(COMMANDS[command])


def test_places_and_sizes_are_those_of_the_code() -> None:
    assert f"`{DEFAULT}`" in TEXT
    assert f"{LIMIT >> 20} MiB" in TEXT


def test_each_flag_of_validate_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "validate.md").read_text()
    rows = re.findall(r"^\| (`-[^|]*)\|", text, re.MULTILINE)

    assert {flag for cell in rows for flag in re.findall(r"`(--?[a-z-]+)", cell)} == flags(validate)


def test_each_flag_of_migrate_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "migrate.md").read_text()
    rows = re.findall(r"^\| (`-[^|]*)\|", text, re.MULTILINE)

    assert {flag for cell in rows for flag in re.findall(r"`(--?[a-z-]+)", cell)} == flags(migrate)
