"""A program comes from the pinned module alone, and is built once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster import binaries, go_programs
from tests.cluster.go_programs import GoProgram, module_folder, pinned, program
from tests.cluster.releases import ModuleDigestError

WANTED = GoProgram(module="example.com/tool", version="v1.2.3", sum="h1:abc=", package="./cmd/tool")


class Go:
    """Stands for `go`: downloads a module, and builds a program."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.source.mkdir()
        (self.source / "go.mod").write_text("module example.com/tool\n")
        self.built: list[list[str]] = []

    def __call__(self, arguments: list[str], folder: Path) -> str:
        if arguments[0] == "build":
            files = (path for path in folder.rglob("*") if path.is_file())
            self.built.append(sorted(str(path.relative_to(folder)) for path in files))
            Path(arguments[arguments.index("-o") + 1]).write_text("a program")
        return json.dumps({"Dir": str(self.source), "Sum": WANTED.sum})


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Go:
    fake = Go(tmp_path)
    for module in (binaries, go_programs):
        monkeypatch.setattr(module, "go", fake)
    monkeypatch.setattr(go_programs, "pinned", lambda: {"tool": WANTED})
    monkeypatch.setattr(go_programs, "MODULES", tmp_path / "modules")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return fake


def test_a_program_is_built_once(go: Go) -> None:
    first, second = program("tool"), program("tool")

    assert first == second
    assert first.read_text() == "a program"
    assert go.built == [["go.mod"]]


def test_sources_of_our_own_are_built_as_a_package_of_the_module(go: Go, tmp_path: Path) -> None:
    (tmp_path / "modules/tool").mkdir(parents=True)
    (tmp_path / "modules/tool/main.go").write_text("package main\n")
    first = program("tool")
    (tmp_path / "modules/tool/main.go").write_text("package main // another\n")

    assert program("tool") != first
    assert go.built == [["cmd/tool/main.go", "go.mod"]] * 2


def test_sources_of_our_own_are_built_as_a_part_of_the_package_that_is_named(
    go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = replace(WANTED, own="./lacking")
    monkeypatch.setattr(go_programs, "pinned", lambda: {"tool": lacking})
    (tmp_path / "modules/tool").mkdir(parents=True)
    (tmp_path / "modules/tool/linux.go").write_text("package lacking\n")

    program("tool")

    assert go.built == [["go.mod", "lacking/linux.go"]]


def test_a_module_with_another_hash_is_not_built(go: Go, tmp_path: Path) -> None:
    forged = GoProgram(**dict.fromkeys(WANTED.__slots__, "x"))

    with pytest.raises(ModuleDigestError, match=r"has the hash h1:abc=, but .* pins x"):
        module_folder(forged, tmp_path)
    assert go.built == []


def test_each_program_is_pinned_by_version_and_hash() -> None:
    for one in pinned().values():
        assert one.version.startswith("v")
        assert one.sum.startswith("h1:")
