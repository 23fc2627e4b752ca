"""The collector's image: no code is loaded from a directory that a trainer's volume may be at."""

from __future__ import annotations

import os
import re
import site
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTALLED = [str(ROOT), *site.getsitepackages()]


def variables_of_the_image() -> dict[str, str]:
    """Return the environment that Dockerfile.collector sets for Python, without its paths."""
    text = (ROOT / "Dockerfile.collector").read_text()
    words = re.findall(r"^ENV (.*)$", text, flags=re.MULTILINE)
    pairs = (pair.split("=", 1) for line in words for pair in line.split())
    return {name: value for name, value in pairs if name != "PYTHONPATH"}


def run(folder: Path, variables: dict[str, str]) -> bool:
    """Run the collector where a trainer has put code; return whether this code was run."""
    was_run = folder / "was-run"
    code = f"import pathlib; pathlib.Path({str(was_run)!r}).touch()\n"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / ".local" / "lib" / version / "site-packages"
    for place, name in ((folder / "collector", "__main__.py"), (packages, "metrics.pth")):
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(code)
    (folder / "collector" / "__init__.py").touch()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(INSTALLED),
        **variables,
    }
    python = os.path.realpath(sys.executable)  # the venv's own never loads a user's packages
    command = [python, "-m", "collector", "--help"]
    subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True, timeout=60)
    return was_run.exists()


def test_code_in_the_working_directory_or_in_a_users_packages_is_not_run(tmp_path: Path) -> None:
    assert not run(tmp_path, variables_of_the_image())


def test_without_the_images_settings_it_would_be_run(tmp_path: Path) -> None:
    variables = variables_of_the_image()
    for name in ("PYTHONSAFEPATH", "PYTHONNOUSERSITE"):
        folder = tmp_path / name
        folder.mkdir()
        others = {key: value for key, value in variables.items() if key != name}
        assert run(folder, others), f"{name} has no effect, so the test above shows nothing"
