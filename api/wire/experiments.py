"""Experiments, objectives, algorithms and search spaces on the wire.

The messages cannot express that a number is left out: None is sent as 0, and 0 is read as None. So
a goal of exactly 0 is read as no goal. The services that read it do not use the goal.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.types import (
    AlgorithmSpec,
    Distribution,
    EarlyStoppingSpec,
    Experiment,
    ExperimentSpec,
    FeasibleSpace,
    GraphConfig,
    NasConfig,
    Objective,
    ObjectiveType,
    ObjectMeta,
    Operation,
    ParameterSpec,
    ParameterType,
    Setting,
)
from api.v1beta1 import api_pb2 as pb
from api.wire.messages import known, made

_TYPES = {
    ParameterType.UNKNOWN: pb.UNKNOWN_TYPE,
    ParameterType.DOUBLE: pb.DOUBLE,
    ParameterType.INT: pb.INT,
    ParameterType.DISCRETE: pb.DISCRETE,
    ParameterType.CATEGORICAL: pb.CATEGORICAL,
}
# UNKNOWN is first, so that the reverse of 0 is UNSPECIFIED.
_DISTRIBUTIONS = {
    Distribution.UNKNOWN: pb.DISTRIBUTION_UNSPECIFIED,
    Distribution.UNSPECIFIED: pb.DISTRIBUTION_UNSPECIFIED,
    Distribution.UNIFORM: pb.UNIFORM,
    Distribution.LOG_UNIFORM: pb.LOG_UNIFORM,
    Distribution.NORMAL: pb.NORMAL,
    Distribution.LOG_NORMAL: pb.LOG_NORMAL,
}
_OBJECTIVES = {
    ObjectiveType.UNKNOWN: pb.UNKNOWN,
    ObjectiveType.MINIMIZE: pb.MINIMIZE,
    ObjectiveType.MAXIMIZE: pb.MAXIMIZE,
}
_TYPE_OF = {int(number): noun for noun, number in _TYPES.items()}
_DISTRIBUTION_OF = {int(number): noun for noun, number in _DISTRIBUTIONS.items()}
_OBJECTIVE_OF = {int(number): noun for noun, number in _OBJECTIVES.items()}


def experiment_to_wire(experiment: Experiment) -> pb.Experiment:
    """Write what the services need: the name and the search, without template and status."""
    spec = experiment.spec
    objective, algorithm = spec.objective, spec.algorithm
    early_stopping, nas_config = spec.early_stopping, spec.nas_config
    space = tuple(map(parameter_to_wire, spec.parameters))
    message = made(
        pb.ExperimentSpec,
        parameter_specs=pb.ExperimentSpec.ParameterSpecs(parameters=space) if space else None,
        objective=None if objective is None else objective_to_wire(objective),
        algorithm=None if algorithm is None else algorithm_to_wire(algorithm),
        early_stopping=None if early_stopping is None else early_stopping_to_wire(early_stopping),
        parallel_trial_count=spec.parallel_trial_count or 0,
        max_trial_count=spec.max_trial_count or 0,
        nas_config=None if nas_config is None else nas_config_to_wire(nas_config),
    )
    return made(pb.Experiment, name=experiment.metadata.name, spec=message)


def experiment_from_wire(message: pb.Experiment) -> Experiment:
    """Read the parts of an experiment that the message has."""
    spec = message.spec
    nas = spec.nas_config if spec.HasField("nas_config") else None
    return Experiment(
        metadata=ObjectMeta(name=message.name),
        spec=ExperimentSpec(
            parameters=tuple(map(parameter_from_wire, spec.parameter_specs.parameters)),
            objective=objective_from_wire(spec.objective) if spec.HasField("objective") else None,
            algorithm=algorithm_from_wire(spec.algorithm) if spec.HasField("algorithm") else None,
            early_stopping=early_stopping_from_wire(spec.early_stopping)
            if spec.HasField("early_stopping")
            else None,
            parallel_trial_count=spec.parallel_trial_count or None,
            max_trial_count=spec.max_trial_count or None,
            nas_config=None if nas is None else nas_config_from_wire(nas),
        ),
    )


def objective_to_wire(objective: Objective) -> pb.ObjectiveSpec:
    """Write an objective without its strategies: trials are sent with one value per metric."""
    return made(
        pb.ObjectiveSpec,
        type=_OBJECTIVES[objective.type],
        goal=objective.goal or 0.0,
        objective_metric_name=objective.metric,
        additional_metric_names=objective.additional,
    )


def objective_from_wire(message: pb.ObjectiveSpec) -> Objective:
    """Read an objective."""
    return Objective(
        type=known(_OBJECTIVE_OF, message.type, "ObjectiveSpec.type"),
        goal=message.goal or None,
        metric=message.objective_metric_name,
        additional=tuple(message.additional_metric_names),
    )


def algorithm_to_wire(algorithm: AlgorithmSpec) -> pb.AlgorithmSpec:
    """Write the search algorithm and its settings."""
    settings = tuple(
        made(pb.AlgorithmSetting, name=s.name, value=s.value) for s in algorithm.settings
    )
    return made(pb.AlgorithmSpec, algorithm_name=algorithm.name, algorithm_settings=settings)


def algorithm_from_wire(message: pb.AlgorithmSpec) -> AlgorithmSpec:
    """Read the search algorithm and its settings."""
    return AlgorithmSpec(
        name=message.algorithm_name, settings=_settings(message.algorithm_settings)
    )


def early_stopping_to_wire(early_stopping: EarlyStoppingSpec) -> pb.EarlyStoppingSpec:
    """Write the early-stopping algorithm and its settings."""
    settings = tuple(
        made(pb.EarlyStoppingSetting, name=s.name, value=s.value) for s in early_stopping.settings
    )
    return made(
        pb.EarlyStoppingSpec, algorithm_name=early_stopping.name, algorithm_settings=settings
    )


def early_stopping_from_wire(message: pb.EarlyStoppingSpec) -> EarlyStoppingSpec:
    """Read the early-stopping algorithm and its settings."""
    return EarlyStoppingSpec(
        name=message.algorithm_name, settings=_settings(message.algorithm_settings)
    )


def _settings(
    messages: Iterable[pb.AlgorithmSetting | pb.EarlyStoppingSetting],
) -> tuple[Setting, ...]:
    return tuple(Setting(name=message.name, value=message.value) for message in messages)


def parameter_to_wire(parameter: ParameterSpec) -> pb.ParameterSpec:
    """Write a parameter. Distribution UNKNOWN is sent as unspecified, as in Katib."""
    space = parameter.space
    message = made(
        pb.FeasibleSpace,
        max=space.max,
        min=space.min,
        list=space.list,
        step=space.step,
        distribution=_DISTRIBUTIONS[space.distribution],
    )
    kind = _TYPES[parameter.type]
    return made(pb.ParameterSpec, name=parameter.name, parameter_type=kind, feasible_space=message)


def parameter_from_wire(message: pb.ParameterSpec) -> ParameterSpec:
    """Read a parameter."""
    space = message.feasible_space
    return ParameterSpec(
        name=message.name,
        type=known(_TYPE_OF, message.parameter_type, "ParameterSpec.parameter_type"),
        space=FeasibleSpace(
            min=space.min,
            max=space.max,
            step=space.step,
            list=tuple(space.list),
            distribution=known(_DISTRIBUTION_OF, space.distribution, "FeasibleSpace.distribution"),
        ),
    )


def nas_config_to_wire(nas_config: NasConfig) -> pb.NasConfig:
    """Write the search space of an architecture search."""
    graph = made(
        pb.GraphConfig,
        num_layers=nas_config.graph.layers or 0,
        input_sizes=nas_config.graph.input_sizes,
        output_sizes=nas_config.graph.output_sizes,
    )
    operations = pb.NasConfig.Operations(operation=map(_operation_to_wire, nas_config.operations))
    return pb.NasConfig(graph_config=graph, operations=operations)


def nas_config_from_wire(message: pb.NasConfig) -> NasConfig:
    """Read the search space of an architecture search."""
    graph = message.graph_config
    return NasConfig(
        graph=GraphConfig(
            layers=graph.num_layers or None,
            input_sizes=tuple(graph.input_sizes),
            output_sizes=tuple(graph.output_sizes),
        ),
        operations=tuple(map(_operation_from_wire, message.operations.operation)),
    )


def _operation_to_wire(operation: Operation) -> pb.Operation:
    space = pb.Operation.ParameterSpecs(parameters=map(parameter_to_wire, operation.parameters))
    return made(pb.Operation, operation_type=operation.type, parameter_specs=space)


def _operation_from_wire(message: pb.Operation) -> Operation:
    return Operation(
        type=message.operation_type,
        parameters=tuple(map(parameter_from_wire, message.parameter_specs.parameters)),
    )
