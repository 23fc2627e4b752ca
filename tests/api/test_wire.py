from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from api.report_limits import LARGEST_STEP
from api.types import (
    AlgorithmSpec,
    Assignment,
    Comparison,
    Condition,
    ConditionStatus,
    ConditionType,
    Distribution,
    EarlyStoppingSpec,
    Experiment,
    ExperimentSpec,
    FeasibleSpace,
    GraphConfig,
    MetricPoint,
    MetricStrategy,
    NasConfig,
    Objective,
    ObjectiveType,
    ObjectMeta,
    Observation,
    ObservationLog,
    ObservedMetric,
    Operation,
    ParameterSpec,
    ParameterType,
    Setting,
    StopRule,
    Strategy,
    SuggestedTrial,
    Trial,
    TrialSpec,
    TrialStatus,
)
from api.v1beta1 import api_pb2 as pb
from api.wire.experiments import (
    algorithm_from_wire,
    algorithm_to_wire,
    early_stopping_from_wire,
    early_stopping_to_wire,
    experiment_from_wire,
    experiment_to_wire,
    objective_from_wire,
    objective_to_wire,
    parameter_from_wire,
    parameter_to_wire,
)
from api.wire.logs import log_from_wire, log_to_wire
from api.wire.trials import (
    assignments_from_wire,
    assignments_to_wire,
    rule_from_wire,
    rule_to_wire,
    suggested_from_wire,
    suggested_to_wire,
    trial_from_wire,
    trial_to_wire,
)

NOW = "2026-01-31T12:00:00Z"
SURROGATE = "\ud800"
_T = TypeVar("_T")

# ---- what there is to send ----

_texts = st.text(max_size=8)
_counts = st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1).filter(bool))
_goals = st.one_of(st.none(), st.floats(allow_nan=False).filter(bool))
_labels = st.dictionaries(_texts, _texts, max_size=3)


def _tuples(of: st.SearchStrategy[_T], size: int = 3) -> st.SearchStrategy[tuple[_T, ...]]:
    return st.lists(of, max_size=size).map(tuple)


_settings = _tuples(st.builds(Setting, name=_texts, value=_texts))
_assignments = _tuples(st.builds(Assignment, name=_texts, value=_texts))
_objectives = st.builds(
    Objective,
    type=st.sampled_from(ObjectiveType),
    goal=_goals,
    metric=_texts,
    additional=_tuples(_texts),
    strategies=st.just(()),
)
_parameters = st.builds(
    ParameterSpec,
    name=_texts,
    type=st.sampled_from(ParameterType),
    space=st.builds(
        FeasibleSpace,
        min=_texts,
        max=_texts,
        step=_texts,
        list=_tuples(_texts),
        distribution=st.sampled_from(sorted(set(Distribution) - {Distribution.UNKNOWN})),
    ),
)
_sizes = _tuples(st.integers(-(2**31), 2**31 - 1))
_nas_configs = st.builds(
    NasConfig,
    graph=st.builds(GraphConfig, layers=_counts, input_sizes=_sizes, output_sizes=_sizes),
    operations=_tuples(st.builds(Operation, type=_texts, parameters=_tuples(_parameters, 2)), 2),
)
_algorithms = st.builds(AlgorithmSpec, name=_texts, settings=_settings)
_early_stoppings = st.builds(EarlyStoppingSpec, name=_texts, settings=_settings)
_experiments = st.builds(
    Experiment,
    metadata=st.builds(ObjectMeta, name=_texts),
    spec=st.builds(
        ExperimentSpec,
        parameters=_tuples(_parameters),
        objective=st.none() | _objectives,
        algorithm=st.none() | _algorithms,
        early_stopping=st.none() | _early_stoppings,
        parallel_trial_count=_counts,
        max_trial_count=_counts,
        nas_config=st.none() | _nas_configs,
    ),
)
_rules = st.builds(
    StopRule,
    name=_texts,
    value=_texts,
    comparison=st.sampled_from(Comparison),
    start_step=st.integers(-(2**31), 2**31 - 1),
)
_metrics = st.builds(
    lambda name, value: ObservedMetric(name=name, min=value, max=value, latest=value),
    _texts,
    _texts,
)
_trial_conditions = st.sampled_from(
    [
        ConditionType.CREATED,
        ConditionType.RUNNING,
        ConditionType.SUCCEEDED,
        ConditionType.KILLED,
        ConditionType.FAILED,
        ConditionType.METRICS_UNAVAILABLE,
        ConditionType.EARLY_STOPPED,
    ]
)
_times = st.none() | st.just(NOW)
_trials = st.builds(
    Trial,
    metadata=st.builds(ObjectMeta, name=_texts),
    spec=st.builds(
        TrialSpec,
        objective=st.none() | _objectives,
        assignments=_assignments,
        labels=_labels,
    ),
    status=st.builds(
        TrialStatus,
        start_time=_times,
        completion_time=_times,
        conditions=_trial_conditions.map(
            lambda kind: (Condition(type=kind, status=ConditionStatus.TRUE),)
        ),
        observation=st.none() | st.builds(Observation, metrics=_tuples(_metrics)),
    ),
)
_steps = st.none() | st.integers(0, LARGEST_STEP)
_logs = st.builds(
    ObservationLog,
    points=_tuples(st.builds(MetricPoint, _texts, _texts, st.text(min_size=1, max_size=8), _steps)),
)

# ---- both ways ----


@given(_logs)
def test_a_log_comes_back_from_the_wire(log: ObservationLog) -> None:
    message = pb.ObservationLog.FromString(log_to_wire(log).SerializeToString())

    assert log_from_wire(message) == log


@given(_experiments)
def test_an_experiment_comes_back_from_the_wire(experiment: Experiment) -> None:
    message = pb.Experiment.FromString(experiment_to_wire(experiment).SerializeToString())

    assert experiment_from_wire(message) == experiment


@given(_trials)
def test_a_trial_comes_back_from_the_wire(trial: Trial) -> None:
    message = pb.Trial.FromString(trial_to_wire(trial).SerializeToString())

    assert trial_from_wire(message) == trial
    assert trial_to_wire(trial_from_wire(message)) == message


@given(_objectives, _algorithms, _early_stoppings, _parameters, _rules, _assignments)
def test_the_parts_come_back_by_themselves(  # noqa: PLR0917
    objective: Objective,
    algorithm: AlgorithmSpec,
    early_stopping: EarlyStoppingSpec,
    parameter: ParameterSpec,
    rule: StopRule,
    assignments: tuple[Assignment, ...],
) -> None:
    assert objective_from_wire(objective_to_wire(objective)) == objective
    assert algorithm_from_wire(algorithm_to_wire(algorithm)) == algorithm
    assert early_stopping_from_wire(early_stopping_to_wire(early_stopping)) == early_stopping
    assert parameter_from_wire(parameter_to_wire(parameter)) == parameter
    assert rule_from_wire(rule_to_wire(rule)) == rule
    assert assignments_from_wire(assignments_to_wire(assignments)) == assignments


@given(st.builds(SuggestedTrial, name=_texts, assignments=_assignments, labels=_labels))
def test_a_suggested_trial_comes_back_from_the_wire(trial: SuggestedTrial) -> None:
    assert suggested_from_wire(suggested_to_wire(trial)) == trial


# ---- what the wire says in fewer words ----


@pytest.mark.parametrize(
    ("name", "strategies", "sent"),
    [
        ("error", {"error": Strategy.MIN}, "0.01"),
        ("error", {"error": Strategy.MAX}, "0.08"),
        ("error", {"error": Strategy.LATEST}, "0.05"),
        ("error", {}, "0.01"),
        ("error", {"auc": Strategy.MAX}, "0.01"),
        ("broken", {"broken": Strategy.MIN}, "0.9"),
        ("broken", {"broken": Strategy.MAX}, "0.9"),
        ("lost", {"lost": Strategy.MAX}, "unavailable"),
    ],
)
def test_one_value_of_a_metric_is_sent_by_the_objectives_strategy(
    name: str, strategies: dict[str, Strategy], sent: str
) -> None:
    metrics = {
        "error": ObservedMetric(name="error", min="0.01", max="0.08", latest="0.05"),
        "broken": ObservedMetric(name="broken", min="unavailable", max="", latest="0.9"),
        "lost": ObservedMetric(
            name="lost", min="unavailable", max="unavailable", latest="unavailable"
        ),
    }
    objective = Objective(
        type=ObjectiveType.MINIMIZE,
        metric="error",
        strategies=tuple(MetricStrategy(name=k, strategy=v) for k, v in strategies.items()),
    )
    trial = Trial(
        spec=TrialSpec(objective=objective),
        status=TrialStatus(observation=Observation(metrics=(metrics[name],))),
    )

    (metric,) = trial_to_wire(trial).status.observation.metrics

    assert (metric.name, metric.value) == (name, sent)


@pytest.mark.parametrize(
    ("types", "sent"),
    [
        ([], pb.TrialStatus.CREATED),
        (["Created", "Running"], pb.TrialStatus.RUNNING),
        (["Created", "Running", "Succeeded"], pb.TrialStatus.SUCCEEDED),
        (["Created", "MetricsUnavailable"], pb.TrialStatus.METRICSUNAVAILABLE),
        (["Created", "Paused"], pb.TrialStatus.UNKNOWN),
    ],
)
def test_the_newest_condition_is_sent(
    types: list[str], sent: pb.TrialStatus.TrialConditionType
) -> None:
    conditions = tuple(Condition(type=kind, status=ConditionStatus.TRUE) for kind in types)

    message = trial_to_wire(Trial(status=TrialStatus(conditions=conditions)))

    assert message.status.condition == sent


def test_what_is_left_out_is_zero_on_the_wire() -> None:
    assert objective_to_wire(Objective(goal=None)) == objective_to_wire(Objective(goal=0.0))
    assert objective_from_wire(pb.ObjectiveSpec()).goal is None
    assert experiment_from_wire(pb.Experiment()).spec.max_trial_count is None


def test_an_unknown_distribution_is_sent_as_none() -> None:
    parameter = ParameterSpec(name="lr", space=FeasibleSpace(distribution=Distribution.UNKNOWN))

    message = parameter_to_wire(parameter)

    assert message.feasible_space.distribution == pb.DISTRIBUTION_UNSPECIFIED
    assert parameter_from_wire(message).space.distribution is Distribution.UNSPECIFIED


def test_a_goal_that_is_no_number_is_still_a_goal() -> None:
    goal = objective_from_wire(objective_to_wire(Objective(goal=math.nan))).goal

    assert goal is not None
    assert math.isnan(goal)


@pytest.mark.parametrize("step", [None, 0, 7, 2**63 - 1])
def test_a_point_keeps_its_step_on_the_wire(step: int | None) -> None:
    log = ObservationLog(points=(MetricPoint("a", "1", NOW, step),))

    assert log_from_wire(log_to_wire(log)) == log


# ---- what the wire cannot say ----

_LABELLED = Trial(spec=TrialSpec(labels={"good": "x", "bad": SURROGATE}))
UNFIT: list[tuple[Callable[[], object], str]] = [
    (
        lambda: log_to_wire(
            ObservationLog(points=(MetricPoint("a", "1", NOW), MetricPoint("a", "1", None)))
        ),
        'metric_logs[1].time_stamp: missing for metric "a"; send an RFC 3339 timestamp',
    ),
    (
        lambda: log_to_wire(ObservationLog(points=(MetricPoint("a", "1", ""),))),
        'metric_logs[0].time_stamp: missing for metric "a"; send an RFC 3339 timestamp',
    ),
    (
        lambda: log_to_wire(
            ObservationLog(points=(MetricPoint("a", "1", NOW), MetricPoint("a", SURROGATE, NOW)))
        ),
        r'metric_logs[1]: Metric.value: "\ud800" is not valid Unicode; remove',
    ),
    (
        lambda: log_to_wire(ObservationLog(points=(MetricPoint("a", "1", SURROGATE),))),
        r'metric_logs[0]: MetricLog.time_stamp: "\ud800" is not valid Unicode; remove',
    ),
    (
        lambda: experiment_to_wire(Experiment(spec=ExperimentSpec(max_trial_count=2**31))),
        "ExperimentSpec.max_trial_count: 2147483648 does not fit into 32 bits; send",
    ),
    (
        lambda: experiment_to_wire(Experiment(metadata=ObjectMeta(name=SURROGATE))),
        r'Experiment.name: "\ud800" is not valid Unicode; remove',
    ),
    (
        lambda: objective_to_wire(Objective(additional=("loss", SURROGATE))),
        r'ObjectiveSpec.additional_metric_names[1]: "\ud800" is not valid Unicode; remove',
    ),
    (
        lambda: parameter_to_wire(ParameterSpec(name="x", space=FeasibleSpace(step=SURROGATE))),
        r'FeasibleSpace.step: "\ud800" is not valid Unicode; remove',
    ),
    (
        lambda: experiment_to_wire(
            Experiment(
                spec=ExperimentSpec(
                    nas_config=NasConfig(graph=GraphConfig(input_sizes=(1, -(2**40))))
                )
            )
        ),
        "GraphConfig.input_sizes[1]: -1099511627776 does not fit into 32 bits; send",
    ),
    (
        lambda: trial_to_wire(_LABELLED),
        r'TrialSpec.labels["bad"]: "\ud800" is not valid Unicode; remove',
    ),
    (
        lambda: rule_to_wire(
            StopRule(name="a", value="1", comparison=Comparison.LESS, start_step=2**31)
        ),
        "EarlyStoppingRule.start_step: 2147483648 does not fit into 32 bits; send",
    ),
    (
        lambda: suggested_to_wire(
            SuggestedTrial(
                name="t", stop_rules=(StopRule(name="a", value="1", comparison=Comparison.LESS),)
            )
        ),
        'stop_rules: a list of 1 item for "t" cannot be sent with a suggestion; return',
    ),
    (
        lambda: log_from_wire(pb.ObservationLog(metric_logs=[pb.MetricLog(time_stamp=NOW)])),
        "metric_logs[0].metric: missing; send name and value",
    ),
    (
        lambda: log_from_wire(
            pb.ObservationLog(metric_logs=[pb.MetricLog(metric=pb.Metric(name="a"))])
        ),
        'metric_logs[0].time_stamp: missing for metric "a"; send an RFC 3339 timestamp',
    ),
    (
        lambda: rule_from_wire(pb.EarlyStoppingRule(name="a", value="1")),
        "EarlyStoppingRule.comparison: 0 is unknown; send one of 1, 2, 3",
    ),
    (
        lambda: objective_from_wire(pb.ObjectiveSpec.FromString(b"\x08\x09")),
        "ObjectiveSpec.type: 9 is unknown; send one of 0, 1, 2",
    ),
    (
        lambda: parameter_from_wire(pb.ParameterSpec.FromString(b"\x10\x09")),
        "ParameterSpec.parameter_type: 9 is unknown; send one of 0, 1, 2, 3, 4",
    ),
    (
        lambda: trial_from_wire(pb.Trial.FromString(b"\x1a\x02\x18\x09")),
        "TrialStatus.condition: 9 is unknown; send one of 0, 1, 2, 3, 4, 5, 6, 7",
    ),
]


@pytest.mark.parametrize(("act", "complaint"), UNFIT, ids=[text for _, text in UNFIT])
def test_what_cannot_be_said_is_refused_with_field_and_value(
    act: Callable[[], object], complaint: str
) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(complaint)}"):
        act()


@given(
    st.text(st.characters(), max_size=4),
    st.text(st.characters(), max_size=4),
    st.integers(-(2**40), 2**40),
)
def test_any_rule_is_either_sent_or_refused(name: str, value: str, step: int) -> None:
    rule = StopRule(name=name, value=value, comparison=Comparison.EQUAL, start_step=step)
    try:
        message = rule_to_wire(rule)
    except UserError as error:
        assert str(error).isprintable()  # noqa: PT017 - both outcomes are right
    else:
        assert rule_from_wire(message) == rule


def test_a_spec_that_is_shared_is_not_changed_by_sending_it() -> None:
    trial = replace(_LABELLED, spec=TrialSpec(labels={"a": "b"}))

    trial_to_wire(trial).spec.labels["c"] = "d"

    assert trial.spec.labels == {"a": "b"}
