"""An experiment: a search for the parameters with the best objective."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .algorithms import AlgorithmSpec, EarlyStoppingSpec
from .collectors import CollectorSpec
from .conditions import Condition
from .metadata import ObjectMeta
from .metrics import Observation
from .objectives import Objective
from .parameters import Assignment, NasConfig, ParameterSpec
from .templates import TrialTemplate


class ResumePolicy(StrEnum):
    """What is kept of a completed experiment, so that it can resume."""

    NEVER = "Never"
    LONG_RUNNING = "LongRunning"
    FROM_VOLUME = "FromVolume"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSpec:
    """The search, as the user describes it."""

    parameters: tuple[ParameterSpec, ...] = ()
    objective: Objective | None = None
    algorithm: AlgorithmSpec | None = None
    early_stopping: EarlyStoppingSpec | None = None
    trial_template: TrialTemplate | None = None
    parallel_trial_count: int | None = None
    max_trial_count: int | None = None
    max_failed_trial_count: int | None = None
    collector: CollectorSpec | None = None
    nas_config: NasConfig | None = None
    resume_policy: ResumePolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimalTrial:
    """The best trial so far."""

    name: str = ""
    assignments: tuple[Assignment, ...] = ()
    observation: Observation = field(default_factory=Observation)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentStatus:
    """The progress of the search.

    Each trial is in one of the lists. A count is the length of its list, and `trials` is their sum.
    """

    start_time: str | None = None
    completion_time: str | None = None
    last_reconcile_time: str | None = None
    conditions: tuple[Condition, ...] = ()
    optimal_trial: OptimalTrial | None = None
    running: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    succeeded: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    early_stopped: tuple[str, ...] = ()
    metrics_unavailable: tuple[str, ...] = ()
    trials: int = 0
    trials_succeeded: int = 0
    trials_failed: int = 0
    trials_killed: int = 0
    trials_pending: int = 0
    trials_running: int = 0
    trials_early_stopped: int = 0
    trials_metrics_unavailable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """The object `Experiment` of `kubeflow.org/v1beta1`."""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: ExperimentSpec = field(default_factory=ExperimentSpec)
    status: ExperimentStatus = field(default_factory=ExperimentStatus)
