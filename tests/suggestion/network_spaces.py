"""Experiments that search networks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from api.types import (
    AlgorithmSpec,
    ExperimentSpec,
    GraphConfig,
    NasConfig,
    Objective,
    ObjectiveType,
    Operation,
)
from suggestion.core.network_space import NetworkSpace, network_space_of
from suggestion.core.search_space import SearchSpace
from tests.suggestion.controller_requests import settings
from tests.suggestion.search_spaces import categorical, integer

CONVOLUTION = Operation(
    type="convolution",
    parameters=(categorical("filter_size", "3", "5"), categorical("num_filter", "8")),
)
REDUCTION = Operation(
    type="reduction",
    parameters=(categorical("reduction_type", "max_pooling"), integer("pool_size", "2", "3")),
)
NETWORKS = NasConfig(
    graph=GraphConfig(layers=3, input_sizes=(8, 8, 1), output_sizes=(10,)),
    operations=(CONVOLUTION, REDUCTION),
)
"""Three layers, each one of four operations."""


def searched(
    algorithm: str,
    values: Mapping[str, str] = MappingProxyType({}),
    config: NasConfig | None = NETWORKS,
) -> ExperimentSpec:
    return ExperimentSpec(
        objective=Objective(type=ObjectiveType.MAXIMIZE, metric="accuracy"),
        algorithm=AlgorithmSpec(name=algorithm, settings=settings(values)),
        nas_config=config,
    )


def network_space(config: NasConfig = NETWORKS) -> NetworkSpace:
    return network_space_of(config, "enas")


def space_of_networks(config: NasConfig = NETWORKS) -> SearchSpace:
    return SearchSpace(dimensions=(), network=network_space(config))
