"""A suggestion: the conversation between an experiment and its search algorithm."""

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
    """Who is asked, and for how many trials in all."""

    algorithm: AlgorithmSpec | None = None
    early_stopping: EarlyStoppingSpec | None = None
    requests: int = 0
    resume_policy: ResumePolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedTrial:
    """One answer of the algorithm: a trial's name, its parameters, when to give it up."""

    name: str
    assignments: tuple[Assignment, ...] = ()
    stop_rules: tuple[StopRule, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionStatus:
    """All answers so far, and the settings that the algorithm wants to be reminded of."""

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
