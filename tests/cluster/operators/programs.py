"""The operators' programs: built from their Go modules, kept in the user's cache like Kubernetes.

`modules.toml` pins the modules. Nothing of a module is in this repository: its program is built, and
its CustomResourceDefinitions are read, where Go unpacked it. Unlike `tests.cluster.go_programs`, the
programs of one table are built of one module, so Go builds once what they have in common.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.binaries import build_module, go, kept
from tests.cluster.go_programs import module_folder, pinned, program
from tests.cluster.releases import ModuleDigestError

ARGO = "workflow-controller"
_TABLES = Path(__file__).with_name("modules.toml")


@dataclass(frozen=True, slots=True)
class GoModule:
    """A table of `modules.toml`: what is required, and which programs are built of it."""

    name: str
    go: str
    require: dict[str, str]
    programs: dict[str, str]
    digest: str

    def of(self, package: str) -> str:
        """Return which of the required modules a package belongs to."""
        return next(path for path in self.require if f"{package}/".startswith(f"{path}/"))

    def text(self) -> str:
        """Return its go.mod, before `go mod tidy`."""
        required = "".join(f"\t{path} {version}\n" for path, version in self.require.items())
        tools = "".join(f"\t{package}\n" for package in self.programs.values())
        return (
            f"module trialwatch.test/{self.name}\n\ngo {self.go}\n\n"
            f"require (\n{required})\n\ntool (\n{tools})\n"
        )


@dataclass(frozen=True, slots=True)
class OperatorProgram:
    """A built operator, and the folder of the Go module that it was built from."""

    program: Path
    source: Path


def go_modules() -> list[GoModule]:
    """Return the tables of `modules.toml`."""
    tables = tomllib.loads(_TABLES.read_text(encoding="utf-8"))
    return [GoModule(name, **table) for name, table in tables.items()]


def build_operators() -> dict[str, OperatorProgram]:
    """Return all operators by name; build what is missing."""
    found = {}
    for module in go_modules():
        folder = kept(f"{module.name}-{module.digest[:8]}", _builder(module))
        sources = _sources(module)
        for name, package in module.programs.items():
            found[name] = OperatorProgram(folder / name, sources[module.of(package)])
    return {**found, ARGO: _argo()}


def _argo() -> OperatorProgram:
    with tempfile.TemporaryDirectory() as folder:
        return OperatorProgram(program(ARGO), module_folder(pinned()[ARGO], Path(folder)))


def _builder(module: GoModule) -> Callable[[Path], None]:
    def build(programs: Path) -> None:
        with tempfile.TemporaryDirectory(dir=programs.parent) as folder:
            made = make_module(module, Path(folder))
            if made != module.digest:
                raise ModuleDigestError(
                    f"go.mod and go.sum of {module.name} have the digest {made}, but {_TABLES}"
                    f" pins {module.digest}: the hash or the version of a module has changed"
                )
            for name, package in module.programs.items():
                build_module(Path(folder), package, "-s -w", programs / name)

    return build


def make_module(module: GoModule, folder: Path) -> str:
    """Write go.mod and go.sum into an empty folder; return their digest."""
    (folder / "go.mod").write_text(module.text(), encoding="utf-8")
    go(["mod", "tidy"], folder)
    parts = [(folder / name).read_bytes() for name in ("go.mod", "go.sum")]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _sources(module: GoModule) -> dict[str, Path]:
    """Return where Go unpacks the modules of the programs; download what is missing."""
    base = Path(go(["env", "GOMODCACHE"], _TABLES.parent).strip())
    paths = {module.of(package) for package in module.programs.values()}
    wanted = {path: f"{path}@{module.require[path]}" for path in sorted(paths)}
    go(["mod", "download", *wanted.values()], _TABLES.parent)
    return {path: base / named for path, named in wanted.items()}


def main() -> None:
    """Print the digest of each table."""
    for module in go_modules():
        with tempfile.TemporaryDirectory() as folder:
            sys.stdout.write(f"[{module.name}] {make_module(module, Path(folder))}\n")


if __name__ == "__main__":
    main()
