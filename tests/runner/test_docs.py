"""docs/run.md names every flag, every status and every file."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from runner.common_failure import FEW
from runner.jobs.failed_starts import AT_ONCE
from runner.jobs.job_run import LEAVING
from runner.jobs.job_status import BACKOFF, DEADLINE, REFUSED
from runner.pods.container_lifecycle import PAUSES
from runner.pods.container_log import LIMIT
from runner.state.directory import DEFAULT, StateDirectory
from runner.state.disk_space import PATIENCE
from trialwatch.commands import run

TEXT = (Path(__file__).parents[2] / "docs" / "run.md").read_text()


def flags(module: object) -> list[str]:
    parser = argparse.ArgumentParser(add_help=False)
    module.add_arguments(parser)  # type: ignore[attr-defined]  # a command's module
    return [text for action in parser._actions for text in action.option_strings]  # noqa: SLF001


def test_each_flag_of_run_has_a_row_and_each_row_its_flag() -> None:
    rows = re.findall(r"^\| `(--[a-z-]+)", TEXT, re.MULTILINE)

    assert sorted(rows) == sorted(flags(run))


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"`{DEFAULT}`" in TEXT
    assert f"up to {LIMIT >> 20} MiB" in TEXT
    assert f"SIGKILL after {LEAVING:.0f} s" in TEXT
    first = ", ".join(f"{PAUSES.wait(number):g} s" for number in (1, 2, 3))
    assert f"the pauses are {first} ... {PAUSES.longest:.0f} s" in TEXT
    assert f"the first {FEW} trials fail within {AT_ONCE:.0f} s of each start" in TEXT
    assert f"the disk is full for {PATIENCE:.0f} s" in TEXT
    assert all(f"`{reason}`" in TEXT for reason in (BACKOFF, DEADLINE, REFUSED))


def test_each_place_of_the_state_directory_is_named() -> None:
    state = StateDirectory(Path("x"))
    places = [
        getattr(state, name)
        for name, value in vars(StateDirectory).items()
        if isinstance(value, property)
    ]

    for place in places:
        assert re.search(rf"^        {re.escape(place.name)}\b", TEXT, re.MULTILINE), place
