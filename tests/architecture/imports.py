"""What imports what: the imports between the tree's folders, as values and as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from graphlib import CycleError, TopologicalSorter

import grimp

from tests.architecture.tree import ROOT, pyproject

# Each name, and the names that it imports.
Arrows = Mapping[str, AbstractSet[str]]

_COLUMNS = 96
_NO_BREAK = "\N{NO-BREAK SPACE}"


@cache
def between_files() -> Arrows:
    """Return the imports between the modules of all installed packages."""
    packages = pyproject()["tool"]["importlinter"]["root_packages"]
    graph = grimp.build_graph(*packages, cache_dir=None)
    return {
        module: frozenset(graph.find_modules_directly_imported_by(module))
        for module in sorted(graph.modules)
    }


def between_folders() -> Arrows:
    """Return the imports between folders: a folder stands for the modules right in it."""
    return _grouped(between_files(), _folder)


def between_packages() -> Arrows:
    """Return the imports between the folders at the top of the tree."""
    return _grouped(between_files(), _top)


def between_subpackages(package: str) -> Arrows:
    """Return the imports between the folders inside one package, without its own modules."""
    inside = f"{package}."
    return {
        folder.removeprefix(inside): frozenset(
            other.removeprefix(inside) for other in imported if other.startswith(inside)
        )
        for folder, imported in between_folders().items()
        if folder.startswith(inside)
    }


def circle_in(arrows: Arrows) -> list[str]:
    """Return names that import each other in a circle, the first one again at the end; else []."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []


def table() -> str:
    """Draw the imports between all folders: a line for each folder, then what it imports."""
    arrows = between_folders()
    width = max(map(len, arrows))
    return "".join(
        f"{folder:{width}}  {' '.join(sorted(imported)) or '-'}\n"
        for folder, imported in arrows.items()
    )


def summary() -> str:
    """Draw the imports between packages, and below each package those between its subpackages.

    A package stands above all that it imports.
    """
    arrows = between_packages()
    width = max(map(len, arrows))
    lines = []
    for package in sorted(arrows, key=lambda name: (-_height(name, arrows), name)):
        lines.append(f"{package:{width}} > {' '.join(sorted(arrows[package])) or '-'}")
        lines += _wrapped(between_subpackages(package), " " * (width + 3))
    return "".join(f"{line}\n" for line in lines)


def _height(name: str, arrows: Arrows) -> int:
    """Return the length of the longest way down from a name; there must be no circle."""
    return max((1 + _height(other, arrows) for other in arrows[name]), default=0)


def _wrapped(subpackages: Arrows, indent: str) -> list[str]:
    """Draw subpackages side by side (`driver > reconcile; reconcile`); cut a line between them.

    One that is longer than a line is cut between the names that it imports.
    """
    drawn = [
        f"{subpackage} > {' '.join(sorted(imported))}" if imported else subpackage
        for subpackage, imported in subpackages.items()
    ]
    lines = textwrap.wrap(
        "; ".join(
            text if len(text) > _COLUMNS - len(indent) - 1 else text.replace(" ", _NO_BREAK)
            for text in drawn
        ),
        width=_COLUMNS,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]


def _grouped(arrows: Arrows, group: Callable[[str], str]) -> Arrows:
    grouped: dict[str, set[str]] = {}
    for module, imported in arrows.items():
        name = group(module)
        grouped.setdefault(name, set()).update(map(group, imported))
    return {name: frozenset(others - {name}) for name, others in sorted(grouped.items())}


def _top(module: str) -> str:
    return module.partition(".")[0]


def _folder(module: str) -> str:
    is_folder = ROOT.joinpath(*module.split(".")).is_dir()
    return module if is_folder else module.rpartition(".")[0]
