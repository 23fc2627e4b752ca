"""Algorithms by name: ours, and those that installed packages bring along.

A package brings one by an entry point of the group `trialwatch.algorithms`: its name is what
users write as `algorithmName`, its value the place of a `suggestion.algorithm.Algorithm`. Nothing
is imported before its name is asked for, so `random` does not pay for scikit-optimize.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from api.errors import Fault, SetupError, SpecError
from api.faults import invalid, nearest, quoted, required
from suggestion.algorithm import Algorithm

GROUP: Final = "trialwatch.algorithms"
_PATH = "spec.algorithm.algorithmName"

OURS: Final = {
    name: EntryPoint(name, f"suggestion.{module}:ALGORITHM", GROUP)
    for name, module in {
        "random": "random_search",
        "grid": "grid_search",
        "sobol": "sobol",
        "tpe": "tpe",
        "multivariate-tpe": "multivariate_tpe",
        "cmaes": "cma_es",
        "bayesianoptimization": "bayesian",
    }.items()
}
"""Where each algorithm of this package is."""


def names() -> tuple[str, ...]:
    """Return every name that `find` knows, ours first."""
    others = (found.name for found in entry_points(group=GROUP))
    return tuple(dict.fromkeys((*OURS, *sorted(others))))


def find(name: str) -> Algorithm:
    """Load an algorithm; a built-in name always means the built-in algorithm.

    Raises:
        SpecError: no algorithm has this name.
        SetupError: its package is broken, or lacks a package that it needs.
    """
    entry = OURS.get(name) or next(iter(entry_points(group=GROUP, name=name)), None)
    if entry is None:
        raise SpecError((_unknown(name),)) from None
    try:
        algorithm = entry.load()
    except (ImportError, AttributeError) as error:
        remedy = "install trialwatch[suggestion]" if name in OURS else "reinstall its package"
        raise SetupError(
            f"algorithm {quoted(name)} cannot be loaded from {entry.value}: {error}; {remedy}"
        ) from None
    if not isinstance(algorithm, Algorithm):
        raise SetupError(
            f"algorithm {quoted(name)}: {entry.value} is a {type(algorithm).__name__}, not a"
            " suggestion.algorithm.Algorithm; correct its package"
        )
    return algorithm


def _unknown(name: str) -> Fault:
    known = names()
    if not name:
        return required(_PATH, f"must be specified; write one of {', '.join(known)}")
    near = nearest(name, known) or f"; write one of {', '.join(known)}"
    return invalid(_PATH, name, f"unknown algorithm name {name[:80]}{near}")
