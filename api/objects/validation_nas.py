"""The rules for `spec.nasConfig`: what an architecture search needs to begin.

The first words of each message are those of Katib's services.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from api.algorithms import WITH_SIZES
from api.errors import Fault
from api.faults import invalid, required
from api.objects.validation_space import parameter_faults
from api.types import NasConfig, Operation, ParameterSpec, ParameterType

_GRAPH: Final = "spec.nasConfig.graphConfig"
_OPERATIONS: Final = "spec.nasConfig.operations"
MOST_LAYERS: Final = 100
SKIP_CONNECTION: Final = "skip_connection"
"""The operation that needs no parameters."""


def nas_faults(config: NasConfig, algorithm: str) -> Iterator[Fault]:
    """Yield the faults of the space of an architecture search, for this algorithm."""
    yield from _graph_faults(config, algorithm)
    if not config.operations:
        yield required(_OPERATIONS, "must have an operation, such as convolution")
    for index, operation in enumerate(config.operations):
        yield from _operation_faults(f"{_OPERATIONS}[{index}]", operation)


def _graph_faults(config: NasConfig, algorithm: str) -> Iterator[Fault]:
    graph = config.graph
    sizes = {
        "inputSizes": ("InputSizes", graph.input_sizes, "an image, such as 32, 32, 3"),
        "outputSizes": ("OutputSizes", graph.output_sizes, "the output, such as 10 classes"),
    }
    for field, (name, values, what) in sizes.items():
        if algorithm in WITH_SIZES and not values:
            why = f"Missing {name} in GraphConfig: write the sizes of {what}"
            yield required(f"{_GRAPH}.{field}", why)
        for index, value in enumerate(values):
            if value < 1:
                yield invalid(f"{_GRAPH}.{field}[{index}]", value, "must be 1 or more")
    if not graph.layers:
        why = "Missing NumLayers in GraphConfig: write how many layers a network has"
        yield required(f"{_GRAPH}.numLayers", why)
    elif not 1 <= graph.layers <= MOST_LAYERS:
        yield invalid(f"{_GRAPH}.numLayers", graph.layers, f"must be from 1 to {MOST_LAYERS}")


def _operation_faults(path: str, operation: Operation) -> Iterator[Fault]:
    if not operation.type:
        why = "Missing operationType in Operation: write its kind, such as convolution"
        yield required(f"{path}.operationType", why)
    yield from _quote_faults(f"{path}.operationType", operation.type)
    if not operation.parameters and operation.type != SKIP_CONNECTION:
        why = "Missing ParameterConfigs in Operation: write a parameter, such as filter_size"
        yield required(f"{path}.parameters", why)
    names: dict[str, int] = {}
    for index, parameter in enumerate(operation.parameters):
        place = f"{path}.parameters[{index}]"
        if parameter.name in names and parameter.name:
            other = f"{path}.parameters[{names[parameter.name]}]"
            why = f"is also the name of {other}; rename one of them"
            yield invalid(f"{place}.name", parameter.name, why)
        names.setdefault(parameter.name, index)
        yield from _katibs_faults(place, parameter) or parameter_faults(place, parameter)
        yield from _quote_faults(f"{place}.name", parameter.name)
        for number, text in enumerate(parameter.space.list):
            yield from _quote_faults(f"{place}.feasibleSpace.list[{number}]", text)


def _katibs_faults(path: str, parameter: ParameterSpec) -> tuple[Fault, ...]:
    """Return the faults that Katib's services know."""
    faults = []
    if not parameter.name:
        why = "Missing Name in ParameterConfig: write its name"
        faults.append(required(f"{path}.name", why))
    if parameter.type is ParameterType.UNKNOWN:
        why = "Missing ParameterType in ParameterConfig: write double, int, discrete or categorical"
        faults.append(required(f"{path}.parameterType", why))
    faults.extend(_space_faults(f"{path}.feasibleSpace", parameter))
    return tuple(faults)


def _space_faults(place: str, parameter: ParameterSpec) -> Iterator[Fault]:
    space = parameter.space
    if parameter.type in (ParameterType.CATEGORICAL, ParameterType.DISCRETE):
        if not space.list:
            yield required(
                f"{place}.list", "Missing List in ParameterConfig.feasibleSpace: write its values"
            )
    elif parameter.type in (ParameterType.INT, ParameterType.DOUBLE):
        if not space.min and not space.max:
            why = "Missing Max and Min in ParameterConfig.feasibleSpace: write both"
            yield required(f"{place}.max", why)
        elif parameter.type is ParameterType.DOUBLE and not _positive(space.step):
            why = (
                "Step parameter should be > 0 in ParameterConfig.feasibleSpace: each value is an"
                " operation of its own, so write the step between them"
            )
            yield invalid(f"{place}.step", space.step, why)


def _positive(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False


def _quote_faults(path: str, text: str) -> Iterator[Fault]:
    if "'" in text or '"' in text:
        why = "must not contain quotes: the trial gets JSON in which single quotes stand for double"
        yield invalid(path, text, f"{why} ones; rename it")
