"""Experiments and trials as the controller sends them to the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from api.types import (
    AlgorithmSpec,
    Assignment,
    Condition,
    ConditionStatus,
    ConditionType,
    EarlyStoppingSpec,
    Experiment,
    ExperimentSpec,
    Objective,
    ObjectiveType,
    ObjectMeta,
    Observation,
    ObservedMetric,
    ParameterSpec,
    Setting,
    Trial,
    TrialSpec,
    TrialStatus,
)
from tests.suggestion.search_spaces import EVERYTHING

OBJECTIVE = Objective(type=ObjectiveType.MINIMIZE, metric="loss")


def settings(values: Mapping[str, str]) -> tuple[Setting, ...]:
    return tuple(Setting(name=name, value=value) for name, value in values.items())


def experiment(
    algorithm: str = "random",
    parameters: tuple[ParameterSpec, ...] = EVERYTHING,
    values: Mapping[str, str] = MappingProxyType({}),
    *,
    objective: Objective | None = OBJECTIVE,
    most: int | None = None,
    early_stopping: EarlyStoppingSpec | None = None,
) -> Experiment:
    return Experiment(
        metadata=ObjectMeta(name="digits"),
        spec=ExperimentSpec(
            parameters=parameters,
            objective=objective,
            algorithm=AlgorithmSpec(name=algorithm, settings=settings(values)),
            max_trial_count=most,
            early_stopping=early_stopping,
        ),
    )


def trial(
    name: str,
    assignments: Sequence[Assignment] = (),
    *,
    condition: str = ConditionType.SUCCEEDED,
    loss: str | None = None,
    start: str | None = None,
    end: str | None = None,
) -> Trial:
    observation = None
    if loss is not None:
        metrics = (
            ObservedMetric(name="other", min="0", max="0", latest="0"),
            ObservedMetric(name="loss", min=loss, max=loss, latest=loss),
        )
        observation = Observation(metrics=metrics)
    return Trial(
        metadata=ObjectMeta(name=name),
        spec=TrialSpec(objective=OBJECTIVE, assignments=tuple(assignments)),
        status=TrialStatus(
            start_time=start,
            completion_time=end,
            conditions=(Condition(type=condition, status=ConditionStatus.TRUE),),
            observation=observation,
        ),
    )
