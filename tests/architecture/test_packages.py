"""Packages, their charters, and the lists of packages in pyproject.toml agree."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.tree import ROOT, packages, pyproject

# One vocabulary in several files: its charter finds the names on use, and nothing from elsewhere.
VOCABULARIES = {"api.types"}

# What users import: it finds its names on use, in the one folder that imports no other package.
FACADE = ("trialwatch", "trialwatch.sdk")


def test_every_top_level_package_is_in_the_wheel_below_the_one_that_is_at_the_top() -> None:
    wheel = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]
    tops = sorted({name.split(".")[0] for name in packages()})

    assert wheel["only-include"] == tops
    assert wheel["sources"] == {
        name: f"trialwatch/_packages/{name}" for name in tops if name != "trialwatch"
    }


def test_every_top_level_package_is_under_the_import_rules() -> None:
    tops = sorted({name.split(".")[0] for name in packages()})

    assert pyproject()["tool"]["importlinter"]["root_packages"] == tops


@pytest.mark.parametrize("package", packages())
def test_a_package_opens_with_its_charter(package: str) -> None:
    charter = ast.get_docstring(_charter(package)) or ""

    for words in ("Belongs here:", "Does not belong here:", "import"):
        assert words in charter, f"{package}/__init__.py does not say {words!r}"


@pytest.mark.parametrize("package", packages())
def test_a_charter_imports_nothing(package: str) -> None:
    imports = [
        node
        for node in ast.walk(_charter(package))
        if isinstance(node, ast.Import)
        or (isinstance(node, ast.ImportFrom) and node.module != "__future__")
    ]

    if package == FACADE[0]:
        modules = {node.module for node in imports if isinstance(node, ast.ImportFrom)}
        ours = {module for module in modules if module and module.startswith("trialwatch")}
        assert modules - ours == {"importlib", "typing"}
        assert all(module.startswith(f"{FACADE[1]}.") for module in ours)
    elif package in VOCABULARIES:
        froms = [node for node in imports if isinstance(node, ast.ImportFrom)]
        assert froms == imports
        assert {node.module for node in froms if not node.level} == {"importlib", "typing"}
    else:
        assert [ast.unparse(node) for node in imports] == []


def test_no_test_folder_is_a_package() -> None:
    """`tests/filters/__init__.py` would hide `filters`."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def _charter(package: str) -> ast.Module:
    path = ROOT.joinpath(*package.split("."), "__init__.py")
    return ast.parse(path.read_text(encoding="utf-8"))
