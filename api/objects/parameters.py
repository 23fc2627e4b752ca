"""`parameters`, `nasConfig` and parameter assignments."""

from __future__ import annotations

from api.types import (
    Assignment,
    Distribution,
    FeasibleSpace,
    GraphConfig,
    Json,
    NasConfig,
    Operation,
    ParameterSpec,
    ParameterType,
)

from .fields import Field
from .rendering import present


def parse_parameter(f: Field) -> ParameterSpec:
    """Read one entry of `parameters`."""
    return ParameterSpec(
        name=f.at("name").text(),
        type=f.at("parameterType").choice(ParameterType, ParameterType.UNKNOWN),
        space=f.at("feasibleSpace").record(_parse_space) or FeasibleSpace(),
    )


def _parse_space(f: Field) -> FeasibleSpace:
    return FeasibleSpace(
        min=f.at("min").text(),
        max=f.at("max").text(),
        step=f.at("step").text(),
        list=f.at("list").texts(),
        distribution=f.at("distribution").choice(Distribution, Distribution.UNSPECIFIED),
    )


def render_parameter(parameter: ParameterSpec) -> Json:
    """Write one entry of `parameters`."""
    space = parameter.space
    feasible = present(
        {
            "min": space.min,
            "max": space.max,
            "step": space.step,
            "list": space.list,
            "distribution": space.distribution.value,
        }
    )
    return present(
        {
            "name": parameter.name,
            "parameterType": parameter.type.value,
            "feasibleSpace": feasible or None,
        }
    )


def parse_assignment(f: Field) -> Assignment:
    """Read one entry of `parameterAssignments`."""
    return Assignment(name=f.at("name").text(), value=f.at("value").text())


def render_assignment(assignment: Assignment) -> Json:
    """Write one entry of `parameterAssignments`."""
    return {"name": assignment.name, "value": assignment.value}


def parse_nas_config(f: Field) -> NasConfig:
    """Read `nasConfig`."""
    return NasConfig(
        graph=f.at("graphConfig").record(_parse_graph) or GraphConfig(),
        operations=f.at("operations").records(_parse_operation),
    )


def _parse_graph(f: Field) -> GraphConfig:
    return GraphConfig(
        layers=f.at("numLayers").integer(),
        input_sizes=f.at("inputSizes").integers(),
        output_sizes=f.at("outputSizes").integers(),
    )


def _parse_operation(f: Field) -> Operation:
    return Operation(
        type=f.at("operationType").text(), parameters=f.at("parameters").records(parse_parameter)
    )


def render_nas_config(config: NasConfig) -> Json:
    """Write `nasConfig`."""
    graph = present(
        {
            "numLayers": config.graph.layers,
            "inputSizes": config.graph.input_sizes,
            "outputSizes": config.graph.output_sizes,
        }
    )
    operations = tuple(_render_operation(operation) for operation in config.operations)
    return present({"graphConfig": graph or None, "operations": operations})


def _render_operation(operation: Operation) -> Json:
    return present(
        {
            "operationType": operation.type,
            "parameters": tuple(render_parameter(p) for p in operation.parameters),
        }
    )
