"""Algorithms by name: those of trialwatch, and those of other installed packages.

A package adds an algorithm with an entry point of the group `trialwatch.algorithms`. Its name is
the `algorithmName` that users write; its value is the location of a
`suggestion.core.algorithm.Algorithm`. An algorithm is imported when a caller asks for it, so
`random` does not import scikit-optimize.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from api.errors import Fault, SetupError, SpecError
from api.faults import invalid, nearest, quoted, required
from suggestion.core.algorithm import Algorithm

GROUP: Final = "trialwatch.algorithms"
_PATH = "spec.algorithm.algorithmName"

BUILT_IN: Final = {
    name: EntryPoint(name, f"suggestion.algorithms.{module}:ALGORITHM", GROUP)
    for name, module in {
        "random": "random_search",
        "grid": "grid_search",
        "sobol": "sobol",
        "tpe": "tpe",
        "multivariate-tpe": "multivariate_tpe",
        "cmaes": "cma_es",
        "bayesianoptimization": "bayesian",
        "hyperband": "hyperband",
        "pbt": "pbt",
        "qmc": "qmc",
        "gp": "gp",
        "auto": "auto",
        "enas": "enas",
        "darts": "darts",
    }.items()
}
"""The location of each algorithm of trialwatch."""


def names() -> tuple[str, ...]:
    """Return every name that `find` accepts; the algorithms of trialwatch come first."""
    others = (entry.name for entry in entry_points(group=GROUP))
    return tuple(dict.fromkeys((*BUILT_IN, *sorted(others))))


def find(name: str) -> Algorithm:
    """Load an algorithm; another package cannot replace an algorithm of trialwatch.

    Raises:
        SpecError: no algorithm has this name.
        SetupError: its package is broken, or needs a package that is not installed.
    """
    entry = BUILT_IN.get(name) or next(iter(entry_points(group=GROUP, name=name)), None)
    if entry is None:
        raise SpecError((_unknown(name),)) from None
    try:
        algorithm = entry.load()
    except (ImportError, AttributeError) as error:
        remedy = "reinstall trialwatch" if name in BUILT_IN else "reinstall its package"
        raise SetupError(
            f"cannot load algorithm {quoted(name)} from {entry.value}: {error}; {remedy}"
        ) from None
    if not isinstance(algorithm, Algorithm):
        raise SetupError(
            f"algorithm {quoted(name)}: {entry.value} is a {type(algorithm).__name__}, not a"
            " suggestion.core.algorithm.Algorithm; correct its package"
        )
    return algorithm


def _unknown(name: str) -> Fault:
    known = names()
    if not name:
        return required(_PATH, f"must be specified; write one of {', '.join(known)}")
    listed = f"; write one of {', '.join(known)}"
    near = nearest(name, known) or listed
    return invalid(_PATH, name, f"unknown algorithm name {name[:80]}{near}")
