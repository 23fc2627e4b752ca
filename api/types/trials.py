"""A trial: one job with one choice of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .algorithms import StopRule
from .collectors import CollectorSpec
from .conditions import Condition
from .freeform import JsonObject
from .metadata import ObjectMeta
from .metrics import Observation
from .objectives import Objective
from .parameters import Assignment


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSpec:
    """What to run, and how to read its result."""

    objective: Objective | None = None
    assignments: tuple[Assignment, ...] = ()
    stop_rules: tuple[StopRule, ...] = ()
    run_spec: JsonObject | None = None
    """The job, as Kubernetes gets it."""
    retain_run: bool = False
    collector: CollectorSpec | None = None
    primary_pod_labels: Mapping[str, str] = field(default_factory=dict)
    primary_container_name: str = ""
    success_condition: str = ""
    failure_condition: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStatus:
    """The state of the trial."""

    start_time: str | None = None
    completion_time: str | None = None
    last_reconcile_time: str | None = None
    conditions: tuple[Condition, ...] = ()
    observation: Observation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The object `Trial` of `kubeflow.org/v1beta1`."""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: TrialSpec = field(default_factory=TrialSpec)
    status: TrialStatus = field(default_factory=TrialStatus)
