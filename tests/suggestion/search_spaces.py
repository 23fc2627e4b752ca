"""Search spaces: built by hand, or drawn by hypothesis."""

from __future__ import annotations

import math
from decimal import Decimal

from hypothesis import strategies as st

from api.types import Assignment, Distribution, FeasibleSpace, ParameterSpec, ParameterType
from suggestion.core.search_space import SearchSpace, space_of
from suggestion.core.trial_history import History, PastTrial


def double(
    name: str,
    low: str,
    high: str,
    step: str = "",
    distribution: Distribution = Distribution.UNIFORM,
) -> ParameterSpec:
    return _range(ParameterType.DOUBLE, name, (low, high), step, distribution)


def integer(
    name: str,
    low: str,
    high: str,
    step: str = "",
    distribution: Distribution = Distribution.UNIFORM,
) -> ParameterSpec:
    return _range(ParameterType.INT, name, (low, high), step, distribution)


def categorical(name: str, *texts: str) -> ParameterSpec:
    space = FeasibleSpace(list=texts)
    return ParameterSpec(name=name, type=ParameterType.CATEGORICAL, space=space)


def discrete(name: str, *texts: str) -> ParameterSpec:
    space = FeasibleSpace(list=texts)
    return ParameterSpec(name=name, type=ParameterType.DISCRETE, space=space)


def _range(
    kind: ParameterType, name: str, bounds: tuple[str, str], step: str, distribution: Distribution
) -> ParameterSpec:
    low, high = bounds
    space = FeasibleSpace(min=low, max=high, step=step, distribution=distribution)
    return ParameterSpec(name=name, type=kind, space=space)


EVERYTHING = (
    double("plain", "-5", "10"),
    double("rate", "1e-5", "1e-1", distribution=Distribution.LOG_UNIFORM),
    double("bell", "0", "1", distribution=Distribution.NORMAL),
    double("stepped", "0.1", "1", step="0.3"),
    integer("layers", "2", "9"),
    integer("width", "16", "512", step="16", distribution=Distribution.LOG_NORMAL),
    discrete("batch", "32", "64", "128"),
    categorical("optimizer", "sgd", "adam", 'it\'s "$" \n'),
    integer("fixed", "3", "3"),
)
"""All types, all distributions, steps, a value that must stay unchanged, and a single value."""

MIXED = (
    double("rate", "1e-5", "1e-1", distribution=Distribution.LOG_UNIFORM),
    integer("layers", "2", "9"),
    categorical("optimizer", "sgd", "adam", "ftrl"),
)
"""Three of them, for slow tests."""

PLANE = (double("x", "-5", "10"), double("y", "0", "15"))

_DISTRIBUTIONS = [d for d in Distribution if d is not Distribution.UNKNOWN]
_NAMES = ("a", "b", "c", "d")


@st.composite
def parameters(draw: st.DrawFn, name: str) -> ParameterSpec:
    """Any parameter without faults."""
    kind = draw(
        st.sampled_from([kind for kind in ParameterType if kind is not ParameterType.UNKNOWN])
    )
    if kind in (ParameterType.CATEGORICAL, ParameterType.DISCRETE):
        texts = draw(st.lists(st.text(max_size=5), min_size=1, max_size=5))
        return ParameterSpec(name=name, type=kind, space=FeasibleSpace(list=tuple(texts)))
    distribution = draw(st.sampled_from(_DISTRIBUTIONS))
    least = 1 if distribution in (Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL) else -(10**6)
    places = 0 if kind is ParameterType.INT else draw(st.integers(0, 6))
    low, high = sorted(draw(st.tuples(*[st.integers(least, 10**6)] * 2)))
    step = draw(st.one_of(st.just(0), st.integers(1, 10**6)))
    scale = Decimal(1).scaleb(-places)
    bounds = (str(low * scale), str(high * scale))
    return _range(kind, name, bounds, str(step * scale) if step else "", distribution)


@st.composite
def spaces(draw: st.DrawFn) -> tuple[ParameterSpec, ...]:
    """A space of one to four parameters."""
    return tuple(draw(parameters(name)) for name in _NAMES[: draw(st.integers(1, 4))])


@st.composite
def histories(draw: st.DrawFn, space: SearchSpace, most: int = 30) -> History:
    """Trials of this space: succeeded, failed, running, and unknown ones."""
    trials: list[PastTrial] = []
    for _ in range(draw(st.integers(0, most))):
        shares = [draw(st.floats(0, 1)) for _ in space.dimensions]
        outcome = draw(st.sampled_from(["good", "good", "failed", "running", "unseen"]))
        loss = draw(st.floats(allow_nan=False, allow_infinity=False)) if outcome == "good" else None
        point = () if outcome == "unseen" else space.point(shares)
        running = outcome in ("running", "unseen")
        trials.append(PastTrial(assignments=point, loss=loss, running=running))
    return tuple(trials)


def built(*specs: ParameterSpec) -> SearchSpace:
    return space_of(specs)


def fits(spec: ParameterSpec, text: str) -> bool:
    """Return whether a text is a value of a parameter, by its specification only."""
    space = spec.space
    if spec.type in (ParameterType.CATEGORICAL, ParameterType.DISCRETE):
        return text in space.list
    if spec.type is ParameterType.INT and str(int(text)) != text:
        return False
    if spec.type is ParameterType.DOUBLE and repr(float(text)) != text:
        return False
    number, low, high = float(text), float(space.min), float(space.max)
    if not low <= number <= high:
        return False
    step = float(space.step) if space.step else 1.0 if spec.type is ParameterType.INT else 0.0
    if not step:
        return True
    steps = (number - low) / step
    return math.isclose(steps, round(steps), rel_tol=1e-9, abs_tol=1e-6)


def values(point: tuple[Assignment, ...]) -> dict[str, str]:
    return {assignment.name: assignment.value for assignment in point}
