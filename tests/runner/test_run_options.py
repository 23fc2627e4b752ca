"""The command line that continues a run, as it is stored and shown."""

from __future__ import annotations

import pytest

from runner.options import RunOptions

URL = "postgresql://me:secret@here/metrics"
HIDDEN = "postgresql://me:***@here/metrics"


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (("--database", URL), ("--database", HIDDEN)),
        ((f"--database={URL}",), (f"--database={HIDDEN}",)),
    ],
)
def test_it_has_no_password(given: tuple[str, ...], stored: tuple[str, ...]) -> None:
    options = RunOptions(database=URL, command=("trialwatch", "tune", *given, "--", "train"))

    assert options.last_command().words == ("trialwatch", "tune", *stored, "--", "train")
    assert "secret" not in options.line("--fresh")
