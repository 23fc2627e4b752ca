"""Values of flags with which `trialwatch run` cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import Unavailable
from runner.database import database
from tests.runner.experiment_runs import Machine, experiment
from trialwatch.__main__ import main


@pytest.mark.parametrize("number", ["0", "-3"])
def test_a_parallel_below_one_is_the_flags_fault(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "examples/random.yaml", f"--parallel={number}"]) == 2

    assert capsys.readouterr().err == (
        f"trialwatch run: --parallel {number} is too small: use a number from 1\n"
    )


async def test_a_database_that_does_not_answer_is_refused_with_the_cause(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("runner.database._PATIENCE", 2)

    with pytest.raises(
        Unavailable, match=r"--database: no answer within 2 s \(.*127\.0\.0\.1.*\);"
    ):
        async with database("postgresql://user@127.0.0.1:1/metrics", tmp_path):
            pass


def test_a_database_that_does_not_answer_is_reported_at_once_with_its_cause(
    machine: Machine,
) -> None:
    machine.write(experiment())
    process = machine.start("run", "e.yaml", "--database", "postgresql://user@127.0.0.1:1/metrics")
    assert process.stderr is not None
    line = process.stderr.readline()
    process.kill()

    assert line.startswith("trialwatch run: cannot reach the database: ")
    assert "127.0.0.1" in line
