"""What servers load at a start: no cryptography, unless they have TLS or check tokens."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOAD = "import sys, {program}.__main__; print(*sys.modules)"
HEAVY = {"cryptography", "jwt", "optuna", "plotly", "scipy", "sklearn"}


@pytest.mark.parametrize("program", ["dbmanager", "suggestion"])
def test_a_server_loads_no_cryptography_and_no_library_of_a_search(program: str) -> None:
    command = [sys.executable, "-c", _LOAD.format(program=program)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert not HEAVY & set(ran.stdout.split())
