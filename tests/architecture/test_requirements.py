"""What each program installs: enough, no more, and at a version known to work."""

from __future__ import annotations

import re
import sys
from importlib.metadata import packages_distributions

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from suggestion.core.registry import BUILT_IN as ALGORITHMS
from tests.architecture.tree import ROOT, packages, pyproject

EXTRAS: dict[str, list[str]] = pyproject()["project"]["optional-dependencies"]

BUILT_IN: list[str] = pyproject()["tool"]["importlinter"]["root_packages"]

TOOLS = {"all", "dev"}

# Which modules an extra serves, where it is not the package of its own name.
SERVES = {
    "cluster": "trialwatch.cluster_source",
    "explain": "trialwatch.explain",
    "extract": "trialwatch.extract",
    "inject": "trialwatch.inject",
    "plot": "trialwatch.plot",
    "run": "trialwatch.run",
}

# A module, and the modules that it loads or starts by name.
BY_NAME = {
    "suggestion.core.registry": {entry.module for entry in ALGORITHMS.values()},
    "runner.pods.spawner_client": {"runner.pods.spawner", "launcher.__main__"},
}

# Packages in an extra that no module imports, and what needs each.
UNIMPORTED = {
    "asyncmy": "SQLAlchemy imports the driver that the URL names",
    "asyncpg": "the same",
}


def constraints() -> dict[str, Version]:
    """Return name -> version of constraints.txt; any line of another form is an error."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if line[:1] != "#"]
    assert all(pairs), "constraints.txt holds name==version and nothing else"
    return {canonicalize_name(pair[1]): Version(pair[2]) for pair in pairs if pair}


def requirements(extra: str) -> dict[str, Requirement]:
    """Return the requirements of an extra, by canonical name."""
    parsed = [Requirement(text) for text in EXTRAS[extra]]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def programs() -> dict[str, str]:
    """Return extra -> the module at its root, for the programs that can be started."""
    named = {extra: SERVES.get(extra, extra) for extra in EXTRAS if extra not in TOOLS}
    there = {name for name in packages() if (ROOT / name / "__main__.py").exists()}
    return {extra: module for extra, module in named.items() if module.split(".")[0] in there}


def test_the_root_requires_nothing() -> None:
    assert pyproject()["project"]["dependencies"] == []


def test_set_up_installs_every_extra() -> None:
    (everything,) = requirements("all").values()

    assert everything.extras == EXTRAS.keys() - {"all"}


@pytest.mark.parametrize("extra", sorted(EXTRAS.keys() - {"all"}))
def test_constraints_hold_a_version_that_satisfies_each_requirement(extra: str) -> None:
    known = constraints()

    for name, requirement in requirements(extra).items():
        assert name in known, f"{name} is not in constraints.txt"
        assert known[name] in requirement.specifier, f"{requirement} but {name}=={known[name]}"


@pytest.mark.parametrize(("extra", "module"), sorted(programs().items()))
def test_a_program_imports_what_its_extra_installs_and_nothing_else(
    extra: str, module: str
) -> None:
    imported = {canonicalize_name(name) for name in _distributions_behind(module)}

    asked = requirements(extra).keys()
    assert sorted(imported - asked) == [], f"missing in the extra {extra}"
    assert sorted(asked - imported - UNIMPORTED.keys()) == [], f"too much in the extra {extra}"


def test_whatever_is_imported_is_installed_by_some_extra() -> None:
    imported = {
        canonicalize_name(name) for package in BUILT_IN for name in _distributions_behind(package)
    }

    assert imported <= {name for extra in EXTRAS for name in requirements(extra)}


def _distributions_behind(module: str) -> set[str]:
    """Return the third-party distributions that a module imports, directly or through others."""
    graph = grimp.build_graph(*BUILT_IN, include_external_packages=True)
    roots = {module} | graph.find_descendants(module)
    known = roots.union(*(graph.find_upstream_modules(root) for root in roots))
    roots = roots.union(*(named for module, named in BY_NAME.items() if module in known))
    reached = roots.union(*(graph.find_upstream_modules(root) for root in roots))
    tops = {name.split(".")[0] for name in reached} - set(BUILT_IN) - sys.stdlib_module_names
    origin = packages_distributions()
    return {origin[top][0] for top in tops}
