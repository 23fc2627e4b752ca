"""What each program installs: enough, no more, and at a version known to work."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from typing import Any

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from suggestion.core.registry import BUILT_IN as ALGORITHMS
from tests.architecture.tree import ROOT, pyproject

PROJECT = pyproject()["project"]
GROUPS: dict[str, list[Any]] = pyproject()["dependency-groups"]

BUILT_IN: list[str] = pyproject()["tool"]["importlinter"]["root_packages"]

PROGRAMS = sorted(GROUPS.keys() - {"all", "browser", "dev"})

# The modules of the command line that need the extra `cluster`; they are imported by name, on use.
OF_A_CLUSTER = {
    "trialwatch.checks.cluster_check",
    "trialwatch.sources.cluster_source",
    "trialwatch.admission.pod_explanation",
    "trialwatch.migration.taking_over",
}

# A module, and the modules that it loads or starts by name.
BY_NAME = {
    "suggestion.core.registry": {entry.module for entry in ALGORITHMS.values()},
    "runner.pods.own_programs": {"runner.pods.spawner", "launcher.__main__"},
    "trialwatch.screens.run_pages": {"ui.server.__main__"},
}

# Packages in a list that no module imports, and what needs each.
UNIMPORTED = {
    "asyncmy": "SQLAlchemy imports the driver that the URL names",
    "asyncpg": "the same",
}

# Names that several distributions share, and the distribution that is imported by that name here.
SHARED = {"google": "protobuf"}


def constraints() -> dict[str, Version]:
    """Return name -> version of constraints.txt; any line of another form is an error."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [
        re.fullmatch(r"([\w.-]+)==((?:\d+!)?[\w.]+)", line) for line in lines if line[:1] != "#"
    ]
    assert all(pairs), "constraints.txt holds name==version and nothing else"
    return {canonicalize_name(pair[1]): Version(pair[2]) for pair in pairs if pair}


def requirements(listed: list[str]) -> dict[str, Requirement]:
    """Return requirements by canonical name."""
    parsed = [Requirement(text) for text in listed]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def lists() -> dict[str, list[str]]:
    """Return each list of requirements by its name: that of all users, the extras, the groups."""
    groups = {name: GROUPS[name] for name in (*PROGRAMS, "browser", "dev")}
    build = pyproject()["build-system"]["requires"]
    own = {"": PROJECT["dependencies"], "build": build}
    return {**own, **PROJECT["optional-dependencies"], **groups}


def test_set_up_installs_every_group() -> None:
    included = [entry["include-group"] for entry in GROUPS["all"]]

    # `make test-ui` installs the group for the browser: `make test` does without its 60 MB.
    assert included == sorted(GROUPS.keys() - {"all", "browser"})


@pytest.mark.parametrize("name", sorted(lists()))
def test_constraints_hold_a_version_that_satisfies_each_requirement(name: str) -> None:
    known = constraints()

    for package, requirement in requirements(lists()[name]).items():
        assert package in known, f"{package} is not in constraints.txt"
        version = known[package]
        assert version in requirement.specifier, f"{requirement} but {package}=={version}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_imports_what_its_group_installs_and_nothing_else(program: str) -> None:
    assert (ROOT / program / "__main__.py").exists()

    _compare(_distributions_behind(program), GROUPS[program])


def test_the_command_line_imports_what_a_plain_installation_has_and_nothing_else() -> None:
    _compare(_of_the_command_line(), PROJECT["dependencies"])


def test_the_command_line_imports_the_extra_of_clusters_for_a_cluster_alone() -> None:
    behind = _distributions_behind(*OF_A_CLUSTER) - _of_the_command_line()

    assert PROJECT["optional-dependencies"].keys() == {"cluster"}
    _compare(behind, PROJECT["optional-dependencies"]["cluster"])


def test_whatever_is_imported_is_installed_by_some_list() -> None:
    imported = _distributions_behind(*BUILT_IN)

    assert imported <= {name for listed in lists().values() for name in requirements(listed)}


def _compare(imported: set[str], listed: list[str]) -> None:
    asked = requirements(listed).keys()

    assert sorted(imported - asked) == [], "missing in the list"
    assert sorted(asked - imported - UNIMPORTED.keys()) == [], "too much in the list"


def _of_the_command_line() -> set[str]:
    """Return the distributions behind all of `trialwatch` but for what needs a cluster."""
    graph = _graph()
    modules = graph.find_descendants("trialwatch") - OF_A_CLUSTER
    # A package stands for all below it, and a charter imports nothing.
    return _distributions_behind(*(one for one in modules if not graph.find_descendants(one)))


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*BUILT_IN, include_external_packages=True)


def _distributions_behind(*modules: str) -> set[str]:
    """Return the third-party distributions that modules import, directly or through others."""
    graph = _graph()
    roots = set(modules).union(*(graph.find_descendants(module) for module in modules))
    known = roots.union(*(graph.find_upstream_modules(root) for root in roots))
    roots = roots.union(*(named for module, named in BY_NAME.items() if module in known))
    reached = roots.union(*(graph.find_upstream_modules(root) for root in roots))
    tops = {name.split(".")[0] for name in reached} - set(BUILT_IN) - sys.stdlib_module_names
    origin = packages_distributions()
    return {canonicalize_name(SHARED.get(top) or origin[top][0]) for top in tops}
