"""An experiment at any moment of its life, built by hand for the view."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from api.timestamps import from_micros
from api.types import (
    AlgorithmSpec,
    Assignment,
    Condition,
    ConditionStatus,
    ConditionType,
    Distribution,
    Experiment,
    ExperimentSpec,
    ExperimentStatus,
    FeasibleSpace,
    MetricStrategy,
    Objective,
    ObjectiveType,
    ObjectMeta,
    Observation,
    ObservedMetric,
    OptimalTrial,
    ParameterSpec,
    ParameterType,
    Strategy,
    Trial,
    TrialSpec,
    TrialStatus,
)

START = 1_790_000_000
"""Seconds since 1970: when the experiment began."""

OBJECTIVE = Objective(
    type=ObjectiveType.MAXIMIZE,
    goal=0.99,
    metric="Validation-accuracy",
    additional=("Train-accuracy",),
    strategies=(
        MetricStrategy(name="Validation-accuracy", strategy=Strategy.MAX),
        MetricStrategy(name="Train-accuracy", strategy=Strategy.LATEST),
    ),
)

PARAMETERS = (
    ParameterSpec(
        name="lr",
        type=ParameterType.DOUBLE,
        space=FeasibleSpace(min="0.001", max="0.1", distribution=Distribution.LOG_UNIFORM),
    ),
    ParameterSpec(name="num-layers", type=ParameterType.INT, space=FeasibleSpace(min="2", max="5")),
    ParameterSpec(
        name="optimizer",
        type=ParameterType.CATEGORICAL,
        space=FeasibleSpace(list=("sgd", "adam", "ftrl")),
    ),
)

OPTIMIZERS = ("sgd", "adam", "ftrl")


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, tz=UTC)


def stamp(seconds: float) -> str:
    return from_micros(round((START + seconds) * 1e6))


def condition(kind: ConditionType, message: str = "") -> Condition:
    return Condition(type=kind.value, status=ConditionStatus.TRUE, message=message)


def trial(
    number: int,
    kind: ConditionType = ConditionType.SUCCEEDED,
    value: str = "",
    *,
    message: str = "",
    assignments: tuple[Assignment, ...] | None = None,
) -> Trial:
    """The trial of this number: it starts with its number as the second, and runs for two."""
    done = kind not in (ConditionType.RUNNING, ConditionType.CREATED)
    conditions = [condition(ConditionType.CREATED)]
    if kind is not ConditionType.CREATED:
        conditions.append(condition(kind, message))
    metrics = (
        ObservedMetric(name="Validation-accuracy", min="0.1", max=value, latest="0.2"),
        ObservedMetric(name="Train-accuracy", min="0.1", max="1", latest="0.9931"),
    )
    return Trial(
        metadata=ObjectMeta(name=f"random-{number:04x}"),
        spec=TrialSpec(objective=OBJECTIVE, assignments=assignments or choice_of(number)),
        status=TrialStatus(
            start_time=None if kind is ConditionType.CREATED else stamp(number),
            completion_time=stamp(number + 2) if done else None,
            conditions=tuple(conditions),
            observation=Observation(metrics=metrics) if value else None,
        ),
    )


def choice_of(number: int) -> tuple[Assignment, ...]:
    return (
        Assignment(name="lr", value=repr(0.001 * 1.1 ** (number % 48) + 1e-12)),
        Assignment(name="num-layers", value=str(2 + number % 4)),
        Assignment(name="optimizer", value=OPTIMIZERS[number % 3]),
    )


def experiment(
    trials: Sequence[Trial] = (),
    best: str = "",
    most: int | None = 12,
    *,
    outcome: ConditionType | None = None,
    message: str = "",
    parameters: tuple[ParameterSpec, ...] = PARAMETERS,
    name: str = "random",
) -> Experiment:
    """An experiment with these trials, of which the one called `best` is."""
    found = next((t for t in trials if t.metadata.name == best), None)
    optimal = None
    if found is not None:
        observation = found.status.observation or Observation()
        optimal = OptimalTrial(
            name=best, assignments=found.spec.assignments, observation=observation
        )
    return Experiment(
        metadata=ObjectMeta(name=name),
        spec=ExperimentSpec(
            parameters=parameters,
            objective=OBJECTIVE,
            algorithm=AlgorithmSpec(name="random"),
            max_trial_count=most,
        ),
        status=ExperimentStatus(
            start_time=stamp(0),
            completion_time=stamp(len(trials) + 5) if outcome else None,
            conditions=(condition(outcome, message),) if outcome else (),
            optimal_trial=optimal,
        ),
    )


def mixed_fortunes() -> tuple[Trial, ...]:
    """One trial of each fate; the second is the best."""
    return (
        trial(0, ConditionType.SUCCEEDED, "0.9133"),
        trial(1, ConditionType.SUCCEEDED, "0.9711"),
        trial(2, ConditionType.FAILED, message="Trial has failed. Job message: exit status 1"),
        trial(3, ConditionType.EARLY_STOPPED, "0.4022", message="Trial is early stopped"),
        trial(4, ConditionType.METRICS_UNAVAILABLE, message="Metrics are not available"),
        trial(5, ConditionType.RUNNING),
        trial(6, ConditionType.RUNNING),
        trial(7, ConditionType.CREATED),
    )


MIXED_LATEST = {"random-0005": {"Validation-accuracy": "0.1022", "Train-accuracy": "0.1100"}}
