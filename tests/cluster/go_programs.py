"""Programs that are built from one pinned Go module each, and kept in the user's cache.

`modules/programs.toml` pins them. A folder `modules/NAME` has sources of our own, which are built as
a package of the module, or as a part of one.

    python -m tests.cluster.go_programs NAME...      builds them, and prints where they are
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.binaries import build_module, go, kept
from tests.cluster.releases import MODULES, ModuleDigestError


@dataclass(frozen=True, slots=True, kw_only=True)
class GoProgram:
    """A module, the hash of its content, and the package that is the program."""

    module: str
    version: str
    sum: str
    package: str
    own: str = ""
    """The package that has our own sources; "" if it is the program's."""


def pinned() -> dict[str, GoProgram]:
    """Return the programs by their names."""
    rows = tomllib.loads((MODULES / "programs.toml").read_text(encoding="utf-8"))
    return {name: GoProgram(**row) for name, row in rows.items()}


def program(name: str) -> Path:
    """Return the path of a program; build it if it is not in the cache.

    Raises:
        ModuleDigestError: The module is not the pinned one.
    """
    wanted = pinned()[name]
    own = _own_sources(name)
    made_of = "\0".join((wanted.sum, wanted.package, *(path.read_text() for path in own)))
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:8]

    def build(programs: Path) -> None:
        with tempfile.TemporaryDirectory(dir=programs.parent) as folder:
            module = Path(folder, "module")
            _copy(module_folder(wanted, Path(folder)), module)
            for path in own:
                target = module / (wanted.own or wanted.package) / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            build_module(module, wanted.package, "-s -w", programs / name)

    return kept(f"{name}-{wanted.version}-{digest}", build) / name


def module_folder(wanted: GoProgram, folder: Path) -> Path:
    """Return where Go has the files of a program's module.

    Raises:
        ModuleDigestError: They are not the pinned ones.
    """
    said = json.loads(go(["mod", "download", "-json", f"{wanted.module}@{wanted.version}"], folder))
    if said["Sum"] != wanted.sum:
        raise ModuleDigestError(
            f"{wanted.module} {wanted.version} has the hash {said['Sum']}, but"
            f" {MODULES / 'programs.toml'} pins {wanted.sum}: compare with another module proxy"
        )
    return Path(said["Dir"])


def _copy(module: Path, target: Path) -> None:
    """Copy a module out of Go's cache, whose folders are read-only and may not get files."""
    shutil.copytree(module, target, copy_function=shutil.copyfile)
    for folder in (target, *target.rglob("*/")):
        folder.chmod(0o755)


def _own_sources(name: str) -> list[Path]:
    return sorted((MODULES / name).glob("*.go"))


if __name__ == "__main__":
    for wanted_name in sys.argv[1:]:
        sys.stdout.write(f"{program(wanted_name)}\n")
