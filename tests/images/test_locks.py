"""The locks of the images: complete, no more, at the known versions, and each package with a hash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from images.lock import LOCKS, requirements
from tests.architecture.tree import ROOT

WANTED = dict(requirements())
# One target of the images; the others have further hashes for the same packages.
TARGET = {
    "python_version": "3.11",
    "python_full_version": "3.11.2",
    "platform_machine": "x86_64",
    "platform_system": "Linux",
    "sys_platform": "linux",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}
PACKAGE = re.compile(r"([a-z0-9.-]+)==([0-9][\w.]*)((?: \\\n    --hash=[s]ha256:[0-9a-f]{64})+)\n")


def packages(name: str) -> dict[str, str]:
    """Return the versions of a lock by name; any line of another form is an error."""
    text = (LOCKS / f"{name}.txt").read_text(encoding="utf-8")
    body = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    assert PACKAGE.sub("", body) == "", "a lock has names, versions and hashes, and nothing else"
    return {found[1]: found[2] for found in PACKAGE.finditer(body)}


def needed(wanted: list[str]) -> Iterator[str]:
    """Yield the names of all packages behind some requirements, as the installed ones say."""
    left, seen = [Requirement(text) for text in wanted], set()
    while left:
        requirement = left.pop()
        extras = frozenset(requirement.extras)
        name = canonicalize_name(requirement.name)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        yield name
        left += [
            further
            for further in map(Requirement, requires(name) or [])
            if further.marker is None
            or any(further.marker.evaluate({**TARGET, "extra": extra}) for extra in ("", *extras))
        ]


def test_each_image_and_the_build_have_a_lock() -> None:
    images = {path.suffix.removeprefix(".") for path in ROOT.glob("Dockerfile.*")}

    assert {path.stem for path in LOCKS.iterdir()} == WANTED.keys() == images | {"build"}


@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_lock_has_what_is_needed_and_nothing_else(name: str) -> None:
    assert sorted(packages(name)) == sorted(set(needed(WANTED[name]))), "run `make locks`"


@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_lock_has_the_known_versions(name: str) -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    known = {str(canonicalize_name(package)): version for package, version in pairs}

    for package, version in packages(name).items():
        assert known[package] == version, f"{package}: run `make locks`"
