"""A suggestion: the requests of an experiment to its search algorithm, and the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .algorithms import AlgorithmSpec, EarlyStoppingSpec, Setting, StopRule
from .conditions import Condition
from .experiments import ResumePolicy
from .metadata import ObjectMeta
from .parameters import Assignment


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionSpec:
    """The algorithm, and how many trials are requested in total."""

    algorithm: AlgorithmSpec | None = None
    early_stopping: EarlyStoppingSpec | None = None
    requests: int = 0
    resume_policy: ResumePolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedTrial:
    """One trial that the algorithm suggests: its name, parameters and stop rules."""

    name: str
    assignments: tuple[Assignment, ...] = ()
    stop_rules: tuple[StopRule, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionStatus:
    """All suggested trials so far, and the settings to send with the next request."""

    settings: tuple[Setting, ...] = ()
    suggestion_count: int = 0
    suggestions: tuple[SuggestedTrial, ...] = ()
    start_time: str | None = None
    completion_time: str | None = None
    last_reconcile_time: str | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """The object `Suggestion` of `kubeflow.org/v1beta1`."""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: SuggestionSpec = field(default_factory=SuggestionSpec)
    status: SuggestionStatus = field(default_factory=SuggestionStatus)
