"""The C program repeats names of `api`; this compares them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api import names, run_directory

_HEADER = Path(__file__).parents[2] / "launcher" / "launch.h"
_REPEATED = dict(
    re.findall(
        r'^#define ([A-Z_]+) "?([^"\n]*?)"?$', _HEADER.read_text(encoding="utf-8"), re.MULTILINE
    )
)


@pytest.mark.parametrize(
    "name",
    [
        "ATTEMPT_FILE",
        "ATTEMPTS_DIR",
        "CONTROL_FIFO",
        "EXIT_FILE",
        "OUT_SEGMENT",
        "ERR_SEGMENT",
        "SEGMENT_DIGITS",
        "CONTROL_FOLLOWING",
        "CONTROL_STOP",
        "CONTROL_DELIVERED",
        "CONTROL_GAVE_UP",
    ],
)
def test_a_name_is_the_same_in_c(name: str) -> None:
    assert _REPEATED[name] == str(getattr(names, name))


def test_the_size_of_a_segment_is_the_same_in_c() -> None:
    assert _REPEATED["SEGMENT_BYTES"] == str(run_directory.SEGMENT_BYTES)
