"""The observation of a trial, and why there is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.names import UNAVAILABLE
from api.types import (
    CollectorKind,
    CollectorSpec,
    Condition,
    ConditionStatus,
    ConditionType,
    MetricStrategy,
    Objective,
    ObjectiveType,
    Observation,
    ObservedMetric,
    Strategy,
    Trial,
    TrialSpec,
    TrialStatus,
)
from controller.reconcile.observation import find_observation, observation_of
from controller.reconcile.termination_message import TerminationMessage, parse_termination_message
from controller.reconcile.trial_facts import facts_of_trial
from controller.reconcile.views import (
    JobFacts,
    MetricSummary,
    PodFacts,
    StoredMetrics,
    StoreUnavailable,
    TrialView,
)
from tests.controller.experiment_harness import loss

AWAY = StoreUnavailable(cause="connection refused")
NOTHING = StoredMetrics()
FOLDED = {"count": 3, "first": "0.9", "last": "0.30", "min": "0.10", "max": "0.9"}


def objective(strategy: Strategy = Strategy.MIN) -> Objective:
    return Objective(
        type=ObjectiveType.MINIMIZE,
        metric="loss",
        additional=("acc",),
        strategies=(MetricStrategy(name="loss", strategy=strategy),),
    )


def view(
    observed: StoredMetrics | StoreUnavailable,
    *,
    strategy: Strategy = Strategy.MIN,
    kind: CollectorKind = CollectorKind.STDOUT,
    **pods: object,
) -> TrialView:
    spec = TrialSpec(objective=objective(strategy), collector=CollectorSpec(kind=kind))
    facts = PodFacts(**pods)  # type: ignore[arg-type]
    return TrialView(trial=Trial(spec=spec), job=JobFacts(pods=facts), observed=observed)


def words(*, delivered: bool | None = None, **facts: object) -> str:
    return json.dumps({"delivered": delivered, **facts})


@pytest.mark.parametrize(
    ("observed", "said", "expected"),
    [
        (StoredMetrics(metrics=loss("0.5")), "", "store"),
        (
            StoredMetrics(metrics=loss("0.5")),
            words(delivered=True, metrics={"loss": FOLDED}),
            "store",
        ),
        (
            StoredMetrics(metrics=loss("0.5")),
            words(delivered=False, metrics={"loss": FOLDED}),
            "words",
        ),
        (NOTHING, words(delivered=False, metrics={"loss": FOLDED}), "words"),
        (NOTHING, words(delivered=True, metrics={"loss": FOLDED}), "wait for nothing"),
        (NOTHING, "", "wait for nothing"),
        (StoredMetrics(metrics=loss(UNAVAILABLE)), "", "nothing"),
        (AWAY, words(delivered=True, metrics={"loss": FOLDED}), "wait for words"),
        (AWAY, words(delivered=False, metrics={"loss": FOLDED}), "words"),
        (AWAY, words(delivered=False), "wait for nothing"),
        (AWAY, "no JSON", "wait for nothing"),
    ],
)
def test_the_store_is_taken_or_the_last_words_or_it_is_waited_for(
    observed: StoredMetrics | StoreUnavailable, said: str, expected: str
) -> None:
    finding = find_observation(view(observed, termination_message=said))

    assert finding.final is not expected.startswith("wait")
    taken = finding.observation.metrics[0].min if finding.usable and finding.observation else ""
    assert taken == {"store": "0.5", "words": "0.10"}.get(expected.rsplit(maxsplit=1)[-1], "")


def test_texts_are_kept_as_they_were_written_in_the_order_of_the_objective() -> None:
    other = MetricSummary(name="acc", count=2, last="1e-3", min="1e-3", max="0.930")
    unknown = MetricSummary(name="speed", count=1, last="7", min="7", max="7")

    found = observation_of((unknown, other, *loss("0.50", "nan")), objective())

    assert found == Observation(
        metrics=(
            ObservedMetric(name="loss", min="0.50", max="0.50", latest="nan"),
            ObservedMetric(name="acc", min="1e-3", max="0.930", latest="1e-3"),
        )
    )


def test_an_additional_metric_alone_is_kept_and_no_objective() -> None:
    other = MetricSummary(name="acc", count=1, last="1", min="1", max="1")

    finding = find_observation(view(StoredMetrics(metrics=(other,))))

    assert not finding.usable
    assert finding.observation is not None
    assert [metric.name for metric in finding.observation.metrics] == ["acc"]
    assert 'no line of the training contained "loss", only "acc"' in finding.cause


@pytest.mark.parametrize(
    ("strategy", "metric", "value"),
    [
        (Strategy.MIN, ("0.01", "0.08", "0.05"), 0.01),
        (Strategy.MAX, ("0.70", "0.95", "0.90"), 0.95),
        (Strategy.LATEST, ("0.8", "0.94", "0.93"), 0.93),
        (Strategy.MIN, (UNAVAILABLE, "0.08", "0.05"), 0.05),
        (Strategy.MAX, ("0.70", UNAVAILABLE, "0.90"), 0.9),
        (Strategy.MIN, (UNAVAILABLE, UNAVAILABLE, UNAVAILABLE), None),
        (Strategy.LATEST, ("0.1", "0.2", "nan"), None),
        (Strategy.LATEST, ("0.1", "0.2", "-inf"), None),
        (Strategy.LATEST, ("0.1", "0.2", "great"), None),
        (Strategy.LATEST, ("0.1", "0.2", ""), None),
        (Strategy.LATEST, ("0.1", "0.2", "1_000"), None),
    ],
)
def test_the_objective_is_read_by_its_strategy_and_only_a_finite_number_counts(
    strategy: Strategy, metric: tuple[str, str, str], value: float | None
) -> None:
    low, high, latest = metric
    observed = Observation(metrics=(ObservedMetric(name="loss", min=low, max=high, latest=latest),))
    conditions = (Condition(type=ConditionType.SUCCEEDED, status=ConditionStatus.TRUE),)
    trial = Trial(
        spec=TrialSpec(objective=objective(strategy)),
        status=TrialStatus(observation=observed, conditions=conditions),
    )

    assert facts_of_trial(trial).value == value


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (view(AWAY), "the metrics store did not answer: connection refused"),
        (view(NOTHING, injected=False), "its pod has no metrics collector"),
        (
            view(
                NOTHING,
                collector_failed="exit status 2",
                termination_message=words(why="bad regex"),
            ),
            "the metrics collector failed (exit status 2): bad regex",
        ),
        (
            view(NOTHING, termination_message=words(delivered=False, why="no such host")),
            "collected metrics did not reach the store: no such host",
        ),
        (view(NOTHING), 'no line of the training contained "loss"; `trialwatch extract` shows'),
        (
            view(NOTHING, termination_message=words(nearest=["los = 3", "Loss is 4"])),
            'no line of the training contained "loss"; the nearest lines: "los = 3"; "Loss is',
        ),
        (
            view(StoredMetrics(metrics=loss(UNAVAILABLE, "nan", "nan"))),
            '"loss" was never a finite number; the last value of "loss" is "nan"',
        ),
        (
            view(StoredMetrics(metrics=loss("0.5", "nan")), strategy=Strategy.LATEST),
            'the last value of "loss" is "nan", which is not a finite number; with the strategy min',
        ),
        (
            view(StoredMetrics(metrics=loss("nan", UNAVAILABLE))),
            '"loss" was printed, but never as a finite number',
        ),
        (view(NOTHING, kind=CollectorKind.PUSH), 'the training reported no value of "loss"'),
    ],
)
def test_the_cause_says_what_to_look_at(case: TrialView, said: str) -> None:
    finding = find_observation(case)

    assert not finding.usable
    assert said in finding.cause


def test_with_the_strategy_min_a_nan_at_the_end_costs_nothing() -> None:
    assert find_observation(view(StoredMetrics(metrics=loss("0.5", "0.4", "nan")))).usable


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_last_words_are_read(text: str) -> None:
    assert isinstance(parse_termination_message(text), TerminationMessage)


@pytest.mark.parametrize("text", ["[" * 5000, '{"metrics": {"loss": 3}}', '{"nearest": "x"}', "3"])
def test_last_words_of_another_form_are_passed_over(text: str) -> None:
    assert parse_termination_message(text) == TerminationMessage()


def test_a_metrics_file_that_was_never_created_is_named_and_where_the_metric_is() -> None:
    message = words(delivered=True, metrics={}, missing_file="/katib/mnist.log")
    nothing = StoredMetrics(metrics=())

    alone = find_observation(view(nothing, termination_message=message))
    printed = find_observation(
        view(nothing, termination_message=message, elsewhere="its standard output has it")
    )

    sentence = 'the training has not created the file "/katib/mnist.log" for "loss"'
    assert alone.cause == sentence
    assert printed.cause == f"{sentence}; its standard output has it"
