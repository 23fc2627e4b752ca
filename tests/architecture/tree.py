"""The files, folders and packages of the tree, and pyproject.toml."""

from __future__ import annotations

import os
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

_ONLY_FOR_TESTS = "testing"
_NOT_PACKAGES = {"bench", "build", "dist", "docs", "examples", "images", "manifests", "tests"}


def pyproject() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages() -> list[str]:
    """Return the dotted names of the folders that are installed, in order: all but `testing`."""
    folders = {
        path.parent.relative_to(ROOT)
        for top in ROOT.iterdir()
        if top.is_dir() and not top.name.startswith(".") and top.name not in _NOT_PACKAGES
        for path in top.rglob("*.py")
        if path.parent.name != _ONLY_FOR_TESTS
    }
    return sorted(".".join(folder.parts) for folder in folders)


def folders() -> list[str]:
    """Return the names of the folders at the top of the repository, in order; no hidden ones."""
    tops = {path.relative_to(ROOT).parts[0] for path in files() if path.parent != ROOT}
    return sorted(name for name in tops if not name.startswith("."))


def files() -> Iterator[Path]:
    """Yield the repository's files: all but what .gitignore names (git itself may be missing)."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [".git", *(line.rstrip("/") for line in lines if line and line[0] != "#")]
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not _matches(name, ignored)]
        yield from (Path(folder, name) for name in names if not _matches(name, ignored))


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
