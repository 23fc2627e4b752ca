"""The search space: the parameters and their possible values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One parameter's value in one trial, as the text that goes into the template."""

    name: str
    value: str


class ParameterType(StrEnum):
    """The type of a parameter's values; UNKNOWN if the parameter has none."""

    DOUBLE = "double"
    INT = "int"
    DISCRETE = "discrete"
    CATEGORICAL = "categorical"
    UNKNOWN = "unknown"


class Distribution(StrEnum):
    """How a range is sampled. UNSPECIFIED (the field is left out) becomes uniform by default."""

    UNIFORM = "uniform"
    LOG_UNIFORM = "logUniform"
    NORMAL = "normal"
    LOG_NORMAL = "logNormal"
    UNKNOWN = "unknown"
    UNSPECIFIED = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeasibleSpace:
    """A range (`min`, `max`, optional `step`) or a list of values; numbers stay texts."""

    min: str = ""
    max: str = ""
    step: str = ""
    list: tuple[str, ...] = ()
    distribution: Distribution = Distribution.UNSPECIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSpec:
    """One parameter and its feasible space."""

    name: str
    type: ParameterType = ParameterType.UNKNOWN
    space: FeasibleSpace = field(default_factory=FeasibleSpace)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphConfig:
    """The shape of the networks that an architecture search builds."""

    layers: int | None = None
    input_sizes: tuple[int, ...] = ()
    output_sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of layer of an architecture search, with its own parameters."""

    type: str
    parameters: tuple[ParameterSpec, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NasConfig:
    """The search space of an architecture search, instead of `parameters`."""

    graph: GraphConfig = field(default_factory=GraphConfig)
    operations: tuple[Operation, ...] = ()
