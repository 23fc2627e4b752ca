"""`launch await`: waits for a file, up to a limit."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.contracts.launcher.launcher_process import Launcher


def test_it_ends_at_once_if_the_file_exists(c_launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "attempt").touch()
    ran = subprocess.run(
        [*c_launcher.argv, "await", str(tmp_path / "attempt")], check=False, timeout=10
    )
    assert ran.returncode == 0


def test_it_ends_when_the_file_appears(c_launcher: Launcher, tmp_path: Path) -> None:
    place = tmp_path / "not-yet" / "attempt"
    with subprocess.Popen([*c_launcher.argv, "await", str(place)]) as waiting:
        try:
            place.parent.mkdir()
            assert waiting.poll() is None
            place.touch()
            assert waiting.wait(10) == 0
        finally:
            waiting.kill()


def test_it_takes_one_path(c_launcher: Launcher) -> None:
    ran = subprocess.run([*c_launcher.argv, "await"], capture_output=True, check=False)
    assert ran.returncode == 2
    assert b"await takes one path" in ran.stderr
