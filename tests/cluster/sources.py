"""The files that an image is built from: what its program can import, and what installs it."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

from tests.architecture.tree import ROOT, pyproject

# Beside the packages: what an installation reads.
_TO_INSTALL = {"LICENSE", "README.md", "hatch_build.py", "images", "pyproject.toml"}


def context_of_programs() -> list[Path]:
    """Return the files that the Dockerfiles of programs find, relative to the repository.

    An installation takes all packages; those that a program does not import lie still in its image.
    """
    return sorted(path for path in _known() if path.parts[0] in _packages() | _TO_INSTALL)


def digest_of(program: str) -> str:
    """Return a word that changes with all that the image of a program is made of, its base aside."""
    dockerfile = ROOT / f"Dockerfile.{program}"
    text = dockerfile.read_text(encoding="utf-8")
    folders = imported_by(program) | set(re.findall(r"/_packages/(\w+)/", text))
    files = [path for path in context_of_programs() if path.parts[0] in folders]
    used = (ROOT / name for name in sorted(set(re.findall(r"\bimages/[\w./]+", text))))
    return digest_of_files([dockerfile, *used, *files], _settings(program))


def digest_of_files(paths: list[Path], *more: str) -> str:
    """Return a word that changes with the content of files, and with `more`."""
    digest = hashlib.sha256("\0".join(more).encode())
    for path in paths:
        whole = ROOT / path
        digest.update(f"{whole.relative_to(ROOT)}\0".encode() + whole.read_bytes())
    return digest.hexdigest()


@cache
def imported_by(program: str) -> frozenset[str]:
    """Return the top packages that a program can import, its own among them."""
    found: set[str] = set()
    wanted = {program}
    while wanted:
        package = wanted.pop()
        found.add(package)
        wanted |= _imports_of(package) & _packages() - found
    return frozenset(found)


@cache
def _imports_of(package: str) -> frozenset[str]:
    """Return the top names of all that the modules of a package import, anywhere in them."""
    files = [path for path in _known() if path.parts[0] == package and path.suffix == ".py"]
    names: set[str] = set()
    for path in files:
        for node in ast.walk(ast.parse((ROOT / path).read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
    return frozenset(name.partition(".")[0] for name in names)


def _settings(program: str) -> str:
    """Return what pyproject.toml says of a program's installation."""
    whole = pyproject()
    named = {name: whole["project"][name] for name in ("name", "version")}
    parts = [
        named,
        whole["dependency-groups"][program],
        whole["build-system"],
        whole["tool"]["hatch"],
    ]
    return json.dumps(parts, sort_keys=True)


@cache
def _packages() -> frozenset[str]:
    return frozenset(pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])


@cache
def _known() -> list[Path]:
    """Return the files that git knows, or would."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    said = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout
    paths = [Path(os.fsdecode(name)) for name in said.split(b"\0") if name]
    return [path for path in paths if (ROOT / path).is_file()]
