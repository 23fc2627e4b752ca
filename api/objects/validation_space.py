"""The rules for the search space: `spec.parameters` and `spec.nasConfig`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from api.errors import Fault
from api.faults import invalid, required
from api.types import (
    Distribution,
    ExperimentSpec,
    FeasibleSpace,
    ParameterSpec,
    ParameterType,
)

_RANGES = (ParameterType.DOUBLE, ParameterType.INT)


def space_faults(spec: ExperimentSpec) -> Iterator[Fault]:
    """Check the space: it has one of the two kinds, and each parameter has values."""
    if not spec.parameters and spec.nas_config is None:
        yield required("spec", "spec.parameters or spec.nasConfig must be specified")
    if spec.parameters and spec.nas_config is not None:
        why = "only one of spec.parameters and spec.nasConfig can be specified; delete one"
        yield invalid("spec", "", why)
    seen: dict[str, int] = {}
    for i, parameter in enumerate(spec.parameters):
        path = f"spec.parameters[{i}]"
        if not parameter.name:
            yield required(f"{path}.name", "must be specified")
        elif parameter.name in seen:
            why = f"is also the name of spec.parameters[{seen[parameter.name]}]; rename one of them"
            yield invalid(f"{path}.name", parameter.name, why)
        seen.setdefault(parameter.name, i)
        yield from parameter_faults(path, parameter)


def parameter_faults(path: str, parameter: ParameterSpec) -> Iterator[Fault]:
    """Check the type, the distribution and the values of one parameter."""
    space, place = parameter.space, f"{path}.feasibleSpace"
    if parameter.type is ParameterType.UNKNOWN:
        why = "is not supported; write double, int, discrete or categorical"
        yield invalid(
            f"{path}.parameterType", parameter.type.value, f"parameterType: unknown {why}"
        )
    if space.distribution is Distribution.UNKNOWN:
        why = "is not supported; write uniform, logUniform, normal or logNormal"
        yield invalid(f"{place}.distribution", "unknown", f"distribution: unknown {why}")
    if not (space.min or space.max or space.step or space.list):
        yield required(place, "feasibleSpace must be specified; write min and max, or a list")
    elif parameter.type in _RANGES:
        yield from _range_faults(place, parameter.type, space)
    elif parameter.type is not ParameterType.UNKNOWN:
        yield from _list_faults(place, parameter.type, space)


def _list_faults(place: str, kind: ParameterType, space: FeasibleSpace) -> Iterator[Fault]:
    if space.max or space.min or space.step:
        found = space.max or space.min or space.step
        why = f".max, .min and .step is not supported for parameterType: {kind}; write a list"
        yield invalid(place, found, f"feasibleSpace {why}")
    if not space.list:
        yield required(f"{place}.list", f"must be specified for parameterType: {kind}")


def _range_faults(place: str, kind: ParameterType, space: FeasibleSpace) -> Iterator[Fault]:
    if space.list:
        why = f"is not supported for parameterType: {kind}"
        why += "; write min and max, or use parameterType discrete"
        yield invalid(f"{place}.list", list(space.list), f"feasibleSpace.list {why}")
    if not space.max or not space.min:
        # Katib uses this path for both.
        why = f"must be specified for parameterType: {kind}; write both"
        yield required(f"{place}.max", f"feasibleSpace.max or feasibleSpace.min {why}")
    low = high = step = None
    for name, text in (("min", space.min), ("max", space.max), ("step", space.step)):
        if text and _number(text, kind) is None:
            what = "a whole number" if kind is ParameterType.INT else "a finite number"
            yield invalid(f"{place}.{name}", text, f"must be {what} for parameterType: {kind}")
    low, high, step = (_number(text, kind) for text in (space.min, space.max, space.step))
    if low is not None and high is not None and low > high:
        yield invalid(
            f"{place}.min",
            space.min,
            f"must not be greater than max, which is {space.max}; swap the two",
        )
    if step is not None and step <= 0:
        yield invalid(
            f"{place}.step", space.step, "must be greater than 0; correct it or delete it"
        )
    if low is not None and low <= 0 and space.distribution in _LOGARITHMIC:
        why = f"must be greater than 0 for distribution: {space.distribution}"
        yield invalid(f"{place}.min", space.min, why)


def space_warnings(spec: ExperimentSpec) -> Iterator[Fault]:
    """Find ranges with one value: the search cannot change it."""
    for i, parameter in enumerate(spec.parameters):
        space, place = parameter.space, f"spec.parameters[{i}].feasibleSpace"
        if parameter.type not in _RANGES:
            continue
        low, high, step = (
            _number(text, parameter.type) for text in (space.min, space.max, space.step)
        )
        if low is None or high is None or low > high:
            continue
        if low == high:
            why = "equals max, so the parameter has one value only; widen the range, or write the"
            yield invalid(f"{place}.min", space.min, f"{why} value into the template")
        elif step is not None and step > high - low:
            why = f"is wider than the range from {space.min} to {space.max}, so the parameter has"
            yield invalid(
                f"{place}.step", space.step, f"{why} one value only; write a smaller step"
            )


_LOGARITHMIC = (Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL)


def _number(text: str, kind: ParameterType) -> float | None:
    """Return the number; None if the text is not a number of this parameter type."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or (kind is ParameterType.INT and not number.is_integer()):
        return None
    return number
