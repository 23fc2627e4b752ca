"""The values of tuning: experiments, trials, suggestions, metrics and their parts.

Belongs here: frozen values and the enums they use, named as Katib's API names them.
Does not belong here: parsing, rendering, defaults, rules (`api.objects`), the wire (`api.wire`).
May import: nothing of trialwatch. May be imported by: everything, as `from api.types import Trial`.

A module of this package is imported when one of its names is first used, so that a program does not
pay for types that it does not have: making all these dataclasses takes 15 ms.

Two conventions apply to all types. A text that is left out is ""; any other value that is left out
is None, so that "left out" differs from zero. A time is an RFC 3339 text, exactly as it arrived: it
is passed on without loss, and equal texts are equal times.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .algorithms import (
        AlgorithmSpec,
        Comparison,
        EarlyStoppingSpec,
        Setting,
        StopRule,
    )
    from .collectors import (
        CollectorKind,
        CollectorSpec,
        HttpGet,
        HttpHeader,
        LogFormat,
        PathKind,
    )
    from .conditions import Condition, ConditionStatus, ConditionType, holds
    from .experiments import (
        Experiment,
        ExperimentSpec,
        ExperimentStatus,
        OptimalTrial,
        ResumePolicy,
    )
    from .freeform import Json, JsonObject
    from .metadata import ObjectMeta, OwnerReference
    from .metrics import MetricPoint, Observation, ObservationLog, ObservedMetric
    from .objectives import MetricStrategy, Objective, ObjectiveType, Strategy
    from .parameters import (
        Assignment,
        Distribution,
        FeasibleSpace,
        GraphConfig,
        NasConfig,
        Operation,
        ParameterSpec,
        ParameterType,
    )
    from .suggestions import SuggestedTrial, Suggestion, SuggestionSpec, SuggestionStatus
    from .templates import ConfigMapSource, TrialParameter, TrialTemplate
    from .trials import Trial, TrialSpec, TrialStatus

__all__ = [
    "AlgorithmSpec",
    "Assignment",
    "CollectorKind",
    "CollectorSpec",
    "Comparison",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "ConfigMapSource",
    "Distribution",
    "EarlyStoppingSpec",
    "Experiment",
    "ExperimentSpec",
    "ExperimentStatus",
    "FeasibleSpace",
    "GraphConfig",
    "HttpGet",
    "HttpHeader",
    "Json",
    "JsonObject",
    "LogFormat",
    "MetricPoint",
    "MetricStrategy",
    "NasConfig",
    "ObjectMeta",
    "Objective",
    "ObjectiveType",
    "Observation",
    "ObservationLog",
    "ObservedMetric",
    "Operation",
    "OptimalTrial",
    "OwnerReference",
    "ParameterSpec",
    "ParameterType",
    "PathKind",
    "ResumePolicy",
    "Setting",
    "StopRule",
    "Strategy",
    "SuggestedTrial",
    "Suggestion",
    "SuggestionSpec",
    "SuggestionStatus",
    "Trial",
    "TrialParameter",
    "TrialSpec",
    "TrialStatus",
    "TrialTemplate",
    "holds",
]

_MODULES = {
    "algorithms": (
        "AlgorithmSpec",
        "Comparison",
        "EarlyStoppingSpec",
        "Setting",
        "StopRule",
    ),
    "collectors": (
        "CollectorKind",
        "CollectorSpec",
        "HttpGet",
        "HttpHeader",
        "LogFormat",
        "PathKind",
    ),
    "conditions": (
        "Condition",
        "ConditionStatus",
        "ConditionType",
        "holds",
    ),
    "experiments": (
        "Experiment",
        "ExperimentSpec",
        "ExperimentStatus",
        "OptimalTrial",
        "ResumePolicy",
    ),
    "freeform": (
        "Json",
        "JsonObject",
    ),
    "metadata": (
        "ObjectMeta",
        "OwnerReference",
    ),
    "metrics": (
        "MetricPoint",
        "Observation",
        "ObservationLog",
        "ObservedMetric",
    ),
    "objectives": (
        "MetricStrategy",
        "Objective",
        "ObjectiveType",
        "Strategy",
    ),
    "parameters": (
        "Assignment",
        "Distribution",
        "FeasibleSpace",
        "GraphConfig",
        "NasConfig",
        "Operation",
        "ParameterSpec",
        "ParameterType",
    ),
    "suggestions": (
        "SuggestedTrial",
        "Suggestion",
        "SuggestionSpec",
        "SuggestionStatus",
    ),
    "templates": (
        "ConfigMapSource",
        "TrialParameter",
        "TrialTemplate",
    ),
    "trials": (
        "Trial",
        "TrialSpec",
        "TrialStatus",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import the module of a name on its first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'api.types' has no attribute {name!r}")
    found: object = getattr(import_module(f"api.types.{_MODULE_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the names of this module, with those that are not imported yet."""
    return sorted({*globals(), *__all__})
