"""The search space: all parameters of an experiment, in their order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.errors import SpecError
from api.objects.validation_space import space_faults
from api.types import Assignment, ExperimentSpec, ParameterSpec
from suggestion.dimensions import Dimension, dimension_of

Point = tuple[Assignment, ...]
"""One choice: a value for each parameter, in the order of the space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The dimensions of a search; none is named twice."""

    dimensions: tuple[Dimension, ...]

    @property
    def size(self) -> int | None:
        """How many points there are; None is without end."""
        sizes = [dimension.size for dimension in self.dimensions]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    @property
    def free(self) -> tuple[Dimension, ...]:
        """The dimensions that leave a choice: more than one value."""
        return tuple(dimension for dimension in self.dimensions if dimension.size != 1)

    def point(self, shares: Iterable[float]) -> Point:
        """Write the point at these shares (0 to 1), one for each dimension."""
        return tuple(
            Assignment(name=dimension.name, value=dimension.text(share))
            for dimension, share in zip(self.dimensions, shares, strict=True)
        )

    def texts(self, assignments: Sequence[Assignment]) -> tuple[str, ...] | None:
        """Return a trial's values in the order of the dimensions; None where one is missing."""
        values = {assignment.name: assignment.value for assignment in assignments}
        if any(dimension.name not in values for dimension in self.dimensions):
            return None
        return tuple(values[dimension.name] for dimension in self.dimensions)

    def shares(self, assignments: Sequence[Assignment]) -> tuple[float, ...] | None:
        """Return where a trial's values lie; None where one of them is not of this space."""
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


def space_of(parameters: Sequence[ParameterSpec]) -> Space:
    """Build the space of an experiment's parameters.

    Raises:
        SpecError: all that is wrong with them.
    """
    faults = tuple(space_faults(ExperimentSpec(parameters=tuple(parameters))))
    if faults:
        raise SpecError(faults)
    return Space(dimensions=tuple(map(dimension_of, parameters)))
