"""The search space: all parameters of an experiment, in order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from api.errors import Fault, SpecError
from api.faults import invalid
from api.objects.validation_space import space_faults
from api.types import Assignment, ExperimentSpec, ParameterSpec
from suggestion.core.dimensions import Dimension, dimension_of
from suggestion.core.network_space import NetworkSpace

MOST_PARAMETERS = 1000
MOST_VALUES = 10_000
"""In the lists of all parameters together."""

Point = tuple[Assignment, ...]
"""A value for each parameter, in the order of the space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """The dimensions of a search, whose names are unique, or the networks of one."""

    dimensions: tuple[Dimension, ...]
    network: NetworkSpace | None = None
    """Of an architecture search, which has no dimensions."""

    @property
    def size(self) -> int | None:
        """The number of points; None: infinitely many."""
        sizes = [dimension.size for dimension in self.dimensions]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    @property
    def free(self) -> tuple[Dimension, ...]:
        """The dimensions with more than one value."""
        return tuple(dimension for dimension in self.dimensions if dimension.size != 1)

    def point(self, shares: Iterable[float]) -> Point:
        """Return the point at these shares (0 to 1), one for each dimension."""
        return tuple(
            Assignment(name=dimension.name, value=dimension.text(share))
            for dimension, share in zip(self.dimensions, shares, strict=True)
        )

    def texts(self, assignments: Sequence[Assignment]) -> tuple[str, ...] | None:
        """Return a trial's values in the order of the dimensions; None if one is missing."""
        values = {assignment.name: assignment.value for assignment in assignments}
        if any(dimension.name not in values for dimension in self.dimensions):
            return None
        return tuple(values[dimension.name] for dimension in self.dimensions)

    def shares(self, assignments: Sequence[Assignment]) -> tuple[float, ...] | None:
        """Return the shares of a trial's values; None if a value is not in this space."""
        texts = self.texts(assignments)
        if texts is None:
            return None
        shares: list[float] = []
        for dimension, text in zip(self.dimensions, texts, strict=True):
            share = dimension.share(text)
            if share is None:
                return None
            shares.append(share)
        return tuple(shares)


def space_of(parameters: Sequence[ParameterSpec]) -> SearchSpace:
    """Return the search space of an experiment's parameters.

    Raises:
        SpecError: the faults of all parameters.
    """
    faults = tuple(_size_faults(parameters)) or tuple(
        space_faults(ExperimentSpec(parameters=tuple(parameters)))
    )
    if faults:
        raise SpecError(faults)
    return SearchSpace(dimensions=tuple(map(dimension_of, parameters)))


def _size_faults(parameters: Sequence[ParameterSpec]) -> Iterator[Fault]:
    """Yield the faults of a space that is too large: each value takes time and memory."""
    if len(parameters) > MOST_PARAMETERS:
        why = f"must have at most {MOST_PARAMETERS} parameters; remove some"
        yield invalid("spec.parameters", len(parameters), why)
        return
    values = 0
    for index, parameter in enumerate(parameters):
        values += len(parameter.space.list)
        if values > MOST_VALUES:
            path = f"spec.parameters[{index}].feasibleSpace.list"
            why = (
                f"the lists up to this one have {values} values; write at most {MOST_VALUES} in all"
                " lists together, or take an int or a double with a range"
            )
            yield invalid(path, len(parameter.space.list), why)
            return
