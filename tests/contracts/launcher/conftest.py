"""The two launchers and their trainers; C is compiled once, if there is a compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts.launcher.launcher_process import ROOT, Launcher

_TWIN = (
    f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); "
    "runpy.run_module('launcher', run_name='__main__', alter_sys=True)"
)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compile C into a static program; the test is skipped where there is no compiler."""
    folder = tmp_path_factory.mktemp("built")
    done: dict[str, Path] = {}

    def build(name: str, *sources: Path) -> Path:
        compiler = shutil.which("cc")
        if compiler is None and os.environ.get("CI"):
            pytest.fail("no C compiler (cc): a build machine must have one")
        if compiler is None:
            pytest.skip("no C compiler (cc) here: the C launcher is not tested")
        if name not in done:
            # A sanitizer, say; those do not go with -static.
            own = os.environ.get("CFLAGS", "-static -O2").split()
            flags = [*own, "-Wall", "-Wextra", "-Werror", "-o", str(folder / name)]
            subprocess.run([compiler, *flags, *map(str, sources)], check=True)
            done[name] = folder / name
        return done[name]

    return build


@pytest.fixture(scope="session")
def c_launcher(built: Callable[..., Path]) -> Launcher:
    program = built("launch", *sorted((ROOT / "launcher").glob("*.c")))
    return Launcher(name="launch", argv=(str(program),))


@pytest.fixture(scope="session")
def twin() -> Launcher:
    return Launcher(name="python -m launcher", argv=(sys.executable, "-c", _TWIN))


@pytest.fixture(scope="session", params=["c", "python"])
def launcher(request: pytest.FixtureRequest) -> Launcher:
    """Each of the two launchers in turn."""
    found: Launcher = request.getfixturevalue("c_launcher" if request.param == "c" else "twin")
    return found


@pytest.fixture(scope="session")
def probe(built: Callable[..., Path]) -> Path:
    """A trainer that prints what it inherits."""
    return built("probe", Path(__file__).with_name("probe.c"))


@pytest.fixture(scope="session")
def victim(built: Callable[..., Path]) -> Path:
    """A trainer that decides its exit status once, for all signals."""
    return built("victim", Path(__file__).with_name("victim.c"))


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def public_place() -> Iterator[Path]:
    """A directory for all users; pytest's own directories are for one user."""
    with tempfile.TemporaryDirectory(prefix="trialwatch-") as name:
        place = Path(name)
        place.chmod(0o777)
        yield place


@pytest.fixture
def public_launcher(c_launcher: Launcher, public_place: Path) -> Launcher:
    """The C launcher, executable for all users."""
    program = shutil.copy2(c_launcher.argv[0], public_place / "launch")
    return Launcher(name="launch", argv=(str(program),))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "trialwatch-test", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here (needs root)")
    yield place
    subprocess.run(["umount", str(place)], check=True)
