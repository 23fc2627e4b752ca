"""The space of an architecture search: how many layers, and which operations a layer may be.

An operation is a kind of layer with one value for each of its parameters, so `spec.nasConfig` has
as many operations as its lists and ranges have combinations, in their order.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from api.errors import Fault, SpecError
from api.faults import invalid
from api.objects.validation_nas import nas_faults
from api.types import NasConfig, Operation, ParameterSpec, ParameterType
from suggestion.core.dimensions import dimension_of

MOST_OPERATIONS = 1000
"""Combinations of all kinds of layers together."""
MOST_PARAMETERS = 100
"""Of all kinds of layers together; each operation has a value for each parameter of its kind."""
_LARGEST_WRITTEN = 10**18
"""A larger number is not written in full: Python refuses those of thousands of digits."""

OperationValue = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOperation:
    """A kind of layer with its parameters."""

    type: str
    parameters: Mapping[str, OperationValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpace:
    """All networks that an architecture search may suggest."""

    config: NasConfig
    layers: int
    operations: tuple[NetworkOperation, ...]


def network_space_of(config: NasConfig, algorithm: str) -> NetworkSpace:
    """Return the space that this algorithm searches.

    Raises:
        SpecError: the faults of `spec.nasConfig`.
    """
    faults = tuple(nas_faults(config, algorithm)) or tuple(_size_faults(config))
    if faults:
        raise SpecError(faults)
    return NetworkSpace(
        config=config,
        layers=config.graph.layers or 1,
        operations=tuple(one for kind in config.operations for one in _combinations(kind)),
    )


def _combinations(kind: Operation) -> Iterator[NetworkOperation]:
    names = [parameter.name for parameter in kind.parameters]
    for values in itertools.product(*map(values_of, kind.parameters)):
        yield NetworkOperation(type=kind.type, parameters=dict(zip(names, values, strict=True)))


def values_of(parameter: ParameterSpec) -> tuple[OperationValue, ...]:
    """Return all values of a parameter of an operation: numbers for ranges, texts for lists."""
    dimension = dimension_of(parameter)
    texts = (dimension.value(index) for index in range(dimension.size or 1))
    if parameter.type is ParameterType.INT:
        return tuple(map(int, texts))
    return tuple(map(float, texts)) if parameter.type is ParameterType.DOUBLE else tuple(texts)


def written(value: object) -> str:
    """Write a value as Katib's services do: JSON with single quotes."""
    return json.dumps(value).replace('"', "'")


def _size_faults(config: NasConfig) -> Iterator[Fault]:
    """Yield the fault of a space with too many operations, before they are counted out."""
    total = parameters = 0
    for index, kind in enumerate(config.operations):
        place = f"spec.nasConfig.operations[{index}]"
        parameters += len(kind.parameters)
        if parameters > MOST_PARAMETERS:
            why = (
                f"the operations up to this one have {parameters} parameters; write at most"
                f" {MOST_PARAMETERS} in all"
            )
            yield invalid(f"{place}.parameters", len(kind.parameters), why)
            return
        total += math.prod(dimension_of(one).size or 1 for one in kind.parameters)
        if total > MOST_OPERATIONS:
            count = total if total < _LARGEST_WRITTEN else f"more than {_LARGEST_WRITTEN}"
            why = (
                f"the operations up to this one have {count} combinations of parameters; write at"
                f" most {MOST_OPERATIONS} in all"
            )
            yield invalid(place, kind.type, why)
            return
