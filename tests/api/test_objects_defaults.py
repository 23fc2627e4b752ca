"""What is filled in where an experiment says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment, render_experiment
from api.types import (
    AlgorithmSpec,
    CollectorKind,
    CollectorSpec,
    Distribution,
    Experiment,
    ExperimentSpec,
    HttpGet,
    LogFormat,
    MetricStrategy,
    Objective,
    ObjectiveType,
    PathKind,
    ResumePolicy,
    Setting,
    Strategy,
    TrialTemplate,
)


def filled(**parts: Any) -> ExperimentSpec:  # noqa: ANN401
    return with_defaults(Experiment(spec=ExperimentSpec(**parts))).spec


def test_an_experiment_that_says_nothing_runs_three_trials_at_once_and_reads_stdout() -> None:
    spec = filled()
    assert spec.parallel_trial_count == 3
    assert spec.resume_policy is ResumePolicy.NEVER
    assert spec.collector == CollectorSpec(kind=CollectorKind.STDOUT)


def test_an_experiment_without_a_named_algorithm_is_searched_by_auto() -> None:
    seed = (Setting(name="random_state", value="7"),)
    assert filled().algorithm == AlgorithmSpec(name="auto")
    assert filled(algorithm=AlgorithmSpec(settings=seed)).algorithm == AlgorithmSpec(
        name="auto", settings=seed
    )
    named = AlgorithmSpec(name="tpe", settings=seed)
    assert filled(algorithm=named).algorithm == named


def test_what_the_user_wrote_stays() -> None:
    spec = filled(parallel_trial_count=0, resume_policy=ResumePolicy.LONG_RUNNING)
    assert spec.parallel_trial_count == 0
    assert spec.resume_policy is ResumePolicy.LONG_RUNNING


@pytest.mark.parametrize(
    ("kind", "strategy"),
    [
        (ObjectiveType.MINIMIZE, Strategy.MIN),
        (ObjectiveType.MAXIMIZE, Strategy.MAX),
        (ObjectiveType.UNKNOWN, Strategy.LATEST),
    ],
)
def test_the_objective_says_how_every_metric_is_read(
    kind: ObjectiveType, strategy: Strategy
) -> None:
    spec = filled(objective=Objective(type=kind, metric="a", additional=("b",)))
    assert spec.objective
    assert spec.objective.strategies == (
        MetricStrategy(name="a", strategy=strategy),
        MetricStrategy(name="b", strategy=strategy),
    )


def test_a_users_strategy_stays_and_stays_first() -> None:
    latest = MetricStrategy(name="b", strategy=Strategy.LATEST)
    objective = Objective(
        type=ObjectiveType.MAXIMIZE, metric="a", additional=("b", "c"), strategies=(latest,)
    )
    spec = filled(objective=objective)
    assert spec.objective
    assert [(s.name, s.strategy.value) for s in spec.objective.strategies] == [
        ("b", "latest"),
        ("a", "max"),
        ("c", "max"),
    ]


@pytest.mark.parametrize(
    ("kind", "success", "labels"),
    [
        ("Job", "Complete", {}),
        ("TFJob", "Succeeded", {"training.kubeflow.org/job-role": "master"}),
        ("PyTorchJob", "Succeeded", {"training.kubeflow.org/job-role": "master"}),
        ("XGBoostJob", "Succeeded", {"training.kubeflow.org/job-role": "master"}),
        ("MPIJob", "Succeeded", {"training.kubeflow.org/job-role": "master"}),
        (
            "TrainJob",
            "Complete",
            {
                "jobset.sigs.k8s.io/replicatedjob-name": "node",
                "batch.kubernetes.io/job-completion-index": "0",
            },
        ),
    ],
)
def test_a_job_of_a_known_kind_needs_neither_conditions_nor_labels(
    kind: str, success: str, labels: dict[str, str]
) -> None:
    template = filled(trial_template=TrialTemplate(trial_spec={"kind": kind})).trial_template
    assert template
    expression = 'status.conditions.#(type=="{}")#|#(status=="True")#'
    assert template.success_condition == expression.format(success)
    assert template.failure_condition == expression.format("Failed")
    assert template.primary_pod_labels == labels


def test_conditions_and_labels_of_the_user_stay() -> None:
    template = TrialTemplate(
        trial_spec={"kind": "TFJob"}, success_condition="s", primary_pod_labels={"role": "chief"}
    )
    after = filled(trial_template=template).trial_template
    assert after
    assert after.success_condition == "s"
    assert after.failure_condition
    assert after.primary_pod_labels == {"role": "chief"}


@pytest.mark.parametrize("trial_spec", [None, {}, {"kind": "Custom"}, {"kind": ["Job"]}])
def test_a_job_of_an_unknown_kind_is_left_to_the_user(trial_spec: dict[str, Any] | None) -> None:
    template = TrialTemplate(trial_spec=trial_spec)
    assert filled(trial_template=template).trial_template == template


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            CollectorSpec(kind=CollectorKind.FILE),
            CollectorSpec(
                kind=CollectorKind.FILE,
                path="/var/log/katib/metrics.log",
                path_kind=PathKind.FILE,
                format=LogFormat.TEXT,
            ),
        ),
        (
            CollectorSpec(kind=CollectorKind.FILE, path="/a", format=LogFormat.JSON),
            CollectorSpec(
                kind=CollectorKind.FILE, path="/a", path_kind=PathKind.FILE, format=LogFormat.JSON
            ),
        ),
        (
            CollectorSpec(kind=CollectorKind.TENSORFLOW_EVENT),
            CollectorSpec(
                kind=CollectorKind.TENSORFLOW_EVENT,
                path="/var/log/katib/tfevent/",
                path_kind=PathKind.DIRECTORY,
            ),
        ),
        (
            CollectorSpec(kind=CollectorKind.PROMETHEUS_METRIC),
            CollectorSpec(
                kind=CollectorKind.PROMETHEUS_METRIC, http_get=HttpGet(path="/metrics", port=8080)
            ),
        ),
        (
            CollectorSpec(kind=CollectorKind.PROMETHEUS_METRIC, http_get=HttpGet(port="9")),
            CollectorSpec(
                kind=CollectorKind.PROMETHEUS_METRIC, http_get=HttpGet(path="/metrics", port="9")
            ),
        ),
        (CollectorSpec(kind=CollectorKind.CUSTOM), CollectorSpec(kind=CollectorKind.CUSTOM)),
        (CollectorSpec(kind=CollectorKind.PUSH), CollectorSpec(kind=CollectorKind.PUSH)),
    ],
)
def test_each_collector_kind_has_its_own_place(
    given: CollectorSpec, expected: CollectorSpec
) -> None:
    assert filled(collector=given).collector == expected


def test_a_space_without_a_distribution_is_uniform(document: dict[str, Any]) -> None:
    parameters = document["spec"]["parameters"]
    parameters[0]["feasibleSpace"]["distribution"] = "logUniform"
    spec = with_defaults(parse_experiment(document)).spec
    found = [parameter.space.distribution for parameter in spec.parameters]
    assert found == [Distribution.LOG_UNIFORM, Distribution.UNIFORM, Distribution.UNIFORM]


def test_the_input_is_not_changed(document: dict[str, Any], judge: Callable[..., object]) -> None:
    before = render_experiment(parse_experiment(document))
    judge(lambda _: None)
    assert render_experiment(parse_experiment(document)) == before
