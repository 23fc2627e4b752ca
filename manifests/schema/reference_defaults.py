"""The defaults of an Experiment's fields, as admission sets them.

`with_defaults` runs over small specs, and what it adds to each is noted with the setting that the
spec has. So the defaults of the reference are those of the code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from api.objects.defaults import OUTCOMES, with_defaults
from api.objects.experiments import render_experiment_spec
from api.types import (
    CollectorKind,
    CollectorSpec,
    Experiment,
    ExperimentSpec,
    Objective,
    ObjectiveType,
    ParameterSpec,
    TrialTemplate,
)
from manifests.schema.documents import EXPERIMENT, schema

Defaults = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By path: each value as text, and the settings with which it is the default; () means always."""


def probes() -> Iterator[tuple[str, ExperimentSpec]]:
    """Yield small specs, each with the setting that it has."""
    yield "", ExperimentSpec(parameters=(ParameterSpec(name="p"),))
    yield "maxTrialCount: 1", ExperimentSpec(max_trial_count=1)
    for direction in (ObjectiveType.MINIMIZE, ObjectiveType.MAXIMIZE):
        objective = Objective(type=direction, metric="m")
        yield f"type: {direction}", ExperimentSpec(objective=objective)
    for collector in CollectorKind:
        yield f"kind: {collector}", ExperimentSpec(collector=CollectorSpec(kind=collector))
    for job in OUTCOMES:
        template = TrialTemplate(trial_spec={"kind": job})
        yield f"kind: {job}", ExperimentSpec(trial_template=template)


@cache
def admission_defaults() -> Defaults:
    """Return the default values of all fields."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for setting, spec in probes():
        completed = with_defaults(Experiment(spec=spec)).spec
        given = {*values_of(spec)}
        for path, value in values_of(completed):
            values = found.setdefault(path, {})
            always = values.get(value) == ()
            if (path, value) not in given and not always:
                values[value] = (*values.get(value, ()), setting) if setting else ()
    return found


def values_of(spec: ExperimentSpec) -> Iterator[tuple[str, str]]:
    """Yield the path and the value of each field that has no members."""
    root: Any = schema(EXPERIMENT)
    yield from _below(render_experiment_spec(spec), root["properties"]["spec"], "spec")


def _below(value: Any, node: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    if "properties" in node and isinstance(value, Mapping):
        for name, member in value.items():
            yield from _below(member, node["properties"].get(name, {}), f"{path}.{name}")
    elif "items" in node:
        for item in value:
            yield from _below(item, node["items"], f"{path}[]")
    elif isinstance(value, Mapping):
        yield path, ", ".join(f"{key}: {text}" for key, text in value.items())
    else:
        yield path, str(value)
