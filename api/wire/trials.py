"""Trials, suggested trials and stop rules on the wire.

A message has one condition for all conditions of a trial, and one value for the three values of a
metric. A trial read from a message has this one condition, and the same value three times.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.errors import UserError
from api.faults import shown
from api.metric_values import value_of
from api.types import (
    Assignment,
    Comparison,
    Condition,
    ConditionStatus,
    ConditionType,
    Objective,
    ObjectMeta,
    Observation,
    ObservedMetric,
    StopRule,
    SuggestedTrial,
    Trial,
    TrialSpec,
    TrialStatus,
)
from api.v1beta1 import api_pb2 as pb
from api.wire.experiments import objective_from_wire, objective_to_wire
from api.wire.messages import known, made

_UNKNOWN = "Unknown"
_CONDITIONS: dict[str, pb.TrialStatus.TrialConditionType] = {
    ConditionType.CREATED: pb.TrialStatus.CREATED,
    ConditionType.RUNNING: pb.TrialStatus.RUNNING,
    ConditionType.SUCCEEDED: pb.TrialStatus.SUCCEEDED,
    ConditionType.KILLED: pb.TrialStatus.KILLED,
    ConditionType.FAILED: pb.TrialStatus.FAILED,
    ConditionType.METRICS_UNAVAILABLE: pb.TrialStatus.METRICSUNAVAILABLE,
    ConditionType.EARLY_STOPPED: pb.TrialStatus.EARLYSTOPPED,
    _UNKNOWN: pb.TrialStatus.UNKNOWN,
}
_COMPARISONS = {
    Comparison.EQUAL: pb.EQUAL,
    Comparison.LESS: pb.LESS,
    Comparison.GREATER: pb.GREATER,
}
_CONDITION_OF = {int(number): word for word, number in _CONDITIONS.items()}
_COMPARISON_OF = {int(number): noun for noun, number in _COMPARISONS.items()}


def trial_to_wire(trial: Trial) -> pb.Trial:
    """Write what a search algorithm needs of a trial, without job and history."""
    spec, status = trial.spec, trial.status
    objective = spec.objective
    observation = status.observation
    return made(
        pb.Trial,
        name=trial.metadata.name,
        spec=made(
            pb.TrialSpec,
            objective=None if objective is None else objective_to_wire(objective),
            parameter_assignments=pb.TrialSpec.ParameterAssignments(
                assignments=assignments_to_wire(spec.assignments)
            ),
            labels=spec.labels,
        ),
        status=made(
            pb.TrialStatus,
            start_time=status.start_time or "",
            completion_time=status.completion_time or "",
            condition=_condition(status.conditions),
            observation=None
            if observation is None
            else _observation_to_wire(observation, objective or Objective()),
        ),
    )


def trial_from_wire(message: pb.Trial) -> Trial:
    """Read the parts of a trial that the message has."""
    spec, status = message.spec, message.status
    kind = known(_CONDITION_OF, status.condition, "TrialStatus.condition")
    return Trial(
        metadata=ObjectMeta(name=message.name),
        spec=TrialSpec(
            objective=objective_from_wire(spec.objective) if spec.HasField("objective") else None,
            assignments=assignments_from_wire(spec.parameter_assignments.assignments),
            labels=dict(spec.labels),
        ),
        status=TrialStatus(
            start_time=status.start_time or None,
            completion_time=status.completion_time or None,
            conditions=(Condition(type=kind, status=ConditionStatus.TRUE),),
            observation=Observation(
                metrics=tuple(
                    ObservedMetric(name=m.name, min=m.value, max=m.value, latest=m.value)
                    for m in status.observation.metrics
                )
            )
            if status.HasField("observation")
            else None,
        ),
    )


def assignments_to_wire(assignments: Iterable[Assignment]) -> tuple[pb.ParameterAssignment, ...]:
    """Write the parameter values of a trial."""
    return tuple(made(pb.ParameterAssignment, name=a.name, value=a.value) for a in assignments)


def assignments_from_wire(messages: Iterable[pb.ParameterAssignment]) -> tuple[Assignment, ...]:
    """Read the parameter values of a trial."""
    return tuple(Assignment(name=message.name, value=message.value) for message in messages)


def suggested_to_wire(trial: SuggestedTrial) -> pb.GetSuggestionsReply.ParameterAssignments:
    """Write one suggested trial.

    Raises:
        UserError: the trial has stop rules; these come from the early-stopping service.
    """
    if trial.stop_rules:
        raise UserError(
            f"stop_rules: {shown(trial.stop_rules)} for {shown(trial.name)} cannot be sent"
            " with a suggestion; return them from GetEarlyStoppingRules"
        )
    return made(
        pb.GetSuggestionsReply.ParameterAssignments,
        assignments=assignments_to_wire(trial.assignments),
        trial_name=trial.name,
        labels=trial.labels,
    )


def suggested_from_wire(message: pb.GetSuggestionsReply.ParameterAssignments) -> SuggestedTrial:
    """Read one suggested trial; if its name is "", the caller chooses one."""
    return SuggestedTrial(
        name=message.trial_name,
        assignments=assignments_from_wire(message.assignments),
        labels=dict(message.labels),
    )


def rule_to_wire(rule: StopRule) -> pb.EarlyStoppingRule:
    """Write a stop rule."""
    return made(
        pb.EarlyStoppingRule,
        name=rule.name,
        value=rule.value,
        comparison=_COMPARISONS[rule.comparison],
        start_step=rule.start_step,
    )


def rule_from_wire(message: pb.EarlyStoppingRule) -> StopRule:
    """Read a stop rule.

    Raises:
        UserError: the comparison is unknown. Katib reads it as `equal`, which stops nothing.
    """
    comparison = known(_COMPARISON_OF, message.comparison, "EarlyStoppingRule.comparison")
    return StopRule(
        name=message.name,
        value=message.value,
        comparison=comparison,
        start_step=message.start_step,
    )


def _condition(conditions: tuple[Condition, ...]) -> pb.TrialStatus.TrialConditionType:
    """Return the last condition, which is the newest; CREATED if there is none."""
    if not conditions:
        return pb.TrialStatus.CREATED
    return _CONDITIONS.get(conditions[-1].type, pb.TrialStatus.UNKNOWN)


def _observation_to_wire(observation: Observation, objective: Objective) -> pb.Observation:
    return pb.Observation(
        metrics=(
            made(pb.Metric, name=m.name, value=value_of(m, objective)) for m in observation.metrics
        )
    )
