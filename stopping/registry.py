"""Rules by name: those of trialwatch, and those of other installed packages.

A package adds a rule with an entry point of the group `trialwatch.early_stopping`. Its name is the
`algorithmName` that users write; its value is the location of a `stopping.rule.StoppingAlgorithm`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from api.algorithm_settings import Values, read_values
from api.errors import Fault, SetupError, SpecError
from api.faults import invalid, nearest, quoted, required
from api.types import EarlyStoppingSpec, ExperimentSpec, ObjectiveType
from stopping.rule import SETTINGS, Goal, StoppingAlgorithm, StoppingRule

GROUP: Final = "trialwatch.early_stopping"
_PATH: Final = "spec.earlyStopping.algorithmName"

BUILT_IN: Final = {
    name: EntryPoint(name, f"stopping.{location}", GROUP)
    for name, location in {
        "medianstop": "median:ALGORITHM",
        "asha": "successive_halving:ASHA",
        "hyperband-stop": "successive_halving:HYPERBAND",
        "percentile": "percentile:ALGORITHM",
        "patience": "patience:ALGORITHM",
        "threshold": "threshold:ALGORITHM",
    }.items()
}
"""The location of each rule of trialwatch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """The early stopping of one experiment."""

    rule: StoppingRule
    goal: Goal
    metrics: tuple[str, ...]
    """Which the rule needs, the objective's first."""


def names() -> tuple[str, ...]:
    """Return every name that `find` accepts; the rules of trialwatch come first."""
    others = (entry.name for entry in entry_points(group=GROUP))
    return tuple(dict.fromkeys((*BUILT_IN, *sorted(others))))


def find(name: str) -> StoppingAlgorithm:
    """Load a rule; another package cannot replace a rule of trialwatch.

    Raises:
        SpecError: no rule has this name.
        SetupError: its package is broken, or needs a package that is not installed.
    """
    entry = BUILT_IN.get(name) or next(iter(entry_points(group=GROUP, name=name)), None)
    if entry is None:
        raise SpecError((_unknown(name),))
    try:
        algorithm = entry.load()
    except (ImportError, AttributeError) as error:
        raise SetupError(
            f"cannot load early stopping {quoted(name)} from {entry.value}: {error}; reinstall"
            " its package"
        ) from None
    if not isinstance(algorithm, StoppingAlgorithm):
        raise SetupError(
            f"early stopping {quoted(name)}: {entry.value} is a {type(algorithm).__name__}, not a"
            " stopping.rule.StoppingAlgorithm; correct its package"
        )
    return algorithm


def stopping_of(spec: ExperimentSpec) -> Stopping | None:
    """Return the early stopping of an experiment; None if it has none, or no objective.

    Raises:
        SpecError: the faults of its name or of its settings.
        SetupError: its package is broken.
    """
    if spec.early_stopping is None or spec.objective is None:
        return None
    algorithm = find(spec.early_stopping.name)
    values = _values(spec, algorithm)
    objective = spec.objective
    metrics = dict.fromkeys((objective.metric, *algorithm.follows(values)))
    maximize = objective.type is ObjectiveType.MAXIMIZE
    return Stopping(
        rule=algorithm.make(**values),
        goal=Goal(metric=objective.metric, maximize=maximize),
        metrics=tuple(metrics),
    )


def check_settings(spec: EarlyStoppingSpec) -> None:
    """Check what can be checked without the experiment.

    Raises:
        SpecError: the faults of its name or of its settings.
    """
    read_values(spec.name, find(spec.name).settings, spec.settings, SETTINGS)


def _values(spec: ExperimentSpec, algorithm: StoppingAlgorithm) -> Values:
    early = spec.early_stopping or EarlyStoppingSpec()
    values = read_values(early.name, algorithm.settings, early.settings, SETTINGS)
    faults = tuple(algorithm.validate(spec, values))
    if faults:
        raise SpecError(faults)
    return values


def _unknown(name: str) -> Fault:
    listed = f"; write one of {', '.join(names())}"
    if not name:
        return required(_PATH, f"must be specified{listed}")
    near = nearest(name, names()) or listed
    return invalid(_PATH, name, f"unknown algorithm name {name[:80]}{near}")
