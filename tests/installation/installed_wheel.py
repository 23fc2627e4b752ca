"""The wheel of this tree, and environments into which it is installed, as pipx does it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.architecture.tree import ROOT, pyproject

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONSTRAINTS = ROOT / "constraints.txt"
_KEPT = 2


def build_wheel(folder: Path, **environ: str) -> Path:
    """Build the wheel into a folder, as `make dist` does."""
    # --assume-old: the environment is as it is.
    variables = (f"VENV={sys.prefix}", f"DIST={folder}", f"MANUAL={folder}/trialwatch.1", "PAGES=")
    command = ("make", f"--assume-old={sys.prefix}/.ready", "dist", *variables)
    _checked(command, cwd=ROOT, env={**os.environ, **environ})
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel, outside of the repository."""

    folder: Path

    @property
    def bin(self) -> Path:
        """The folder of its programs."""
        return self.folder / "bin"

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        paths = {"base": str(self.folder), "platbase": str(self.folder)}
        return Path(sysconfig.get_path("purelib", scheme="venv", vars=paths))

    def call(self, *words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
        """Call a program of this environment, as after `activate`."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        env |= {"PATH": f"{self.bin}:{env['PATH']}", "HOME": str(cwd), "KUBECONFIG": "", **environ}
        return subprocess.run(
            [str(self.bin / words[0]), *words[1:]],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )


def environment(folder: Path, wheel: Path) -> Environment:
    """Make an environment with a wheel and all that it requires.

    What it requires comes from a folder that is kept in the user's cache: it is half a gigabyte.
    """
    made = Environment(folder)
    venv.create(folder, clear=True, with_pip=False, symlinks=True)
    (made.packages / "required.pth").write_text(f"{_required()}\n")
    _pip(
        "--python", str(made.bin / "python"), "install", f"--constraint={_CONSTRAINTS}", str(wheel)
    )
    return made


def _required() -> Path:
    """Return the folder with the packages that a plain installation requires."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trialwatch"
    cache.mkdir(parents=True, exist_ok=True)
    listed = sorted(pyproject()["project"]["dependencies"])
    made_of = "\n".join((*listed, sys.version, _CONSTRAINTS.read_text(encoding="utf-8")))
    home = cache / f"required-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one makes it, where several test runs want it
        if not (home / "ready").exists():
            _pip(
                "install", "--upgrade", f"--target={home}", f"--constraint={_CONSTRAINTS}", *listed
            )
        (home / "ready").touch()  # also the mark of its last use
        _remove_all_but_newest(cache)
    return home


def _remove_all_but_newest(cache: Path) -> None:
    """Remove folders of older requirements; the last ones may be those of another branch."""
    ready = sorted(cache.glob("required-*/ready"), key=lambda path: path.stat().st_mtime)
    for path in ready[:-_KEPT]:
        shutil.rmtree(path.parent)


def _pip(*words: str) -> None:
    command = (sys.executable, "-m", "pip", "--quiet", "--retries=1", *words)
    try:
        _checked(command)
    except AssertionError as error:
        if os.environ.get("CI") or "Connection" not in str(error):
            raise
        pytest.skip(f"no package index can be reached from this machine: {error}")


def _checked(command: Sequence[str], **options: object) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]  # passed on
    assert done.returncode == 0, done.stderr
