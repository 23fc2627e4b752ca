"""Katib's defaults for an Experiment, as one pure function.

The mutating webhook applies `with_defaults` on CREATE and UPDATE, and a run on a laptop applies it
after reading the file. Applying it twice gives the same result.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from api.metric_values import STRATEGIES
from api.names import METRICS_FILE
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
    ParameterSpec,
    PathKind,
    ResumePolicy,
    TrialTemplate,
)

ALGORITHM = "auto"
"""The search of an experiment without `algorithmName`; Katib has no default."""
PARALLEL_TRIALS = 3
"""How many trials run at the same time; fewer if `maxTrialCount` is smaller, unlike in Katib."""
EVENTS_DIRECTORY = "/var/log/katib/tfevent/"
SCRAPE_PATH = "/metrics"
SCRAPE_PORT = 8080

_TRAINING_JOBS = ("TFJob", "PyTorchJob", "XGBoostJob", "MPIJob")

# The condition types of success and failure, by kind of job. Katib ignores the apiVersion.
OUTCOMES = {
    "Job": ("Complete", "Failed"),
    "TrainJob": ("Complete", "Failed"),
    **dict.fromkeys(_TRAINING_JOBS, ("Succeeded", "Failed")),
}

# The labels of the pod whose metrics count, if a job has several pods.
_PRIMARY_PODS = {
    "TrainJob": MappingProxyType(
        {
            "jobset.sigs.k8s.io/replicatedjob-name": "node",
            "batch.kubernetes.io/job-completion-index": "0",
        }
    ),
    **dict.fromkeys(_TRAINING_JOBS, MappingProxyType({"training.kubeflow.org/job-role": "master"})),
}


def with_defaults(experiment: Experiment) -> Experiment:
    """Return the experiment with all defaults; values of the user stay."""
    return replace(experiment, spec=_spec(experiment.spec))


def _spec(spec: ExperimentSpec) -> ExperimentSpec:
    return replace(
        spec,
        parallel_trial_count=_parallel_trials(spec),
        algorithm=_algorithm(spec.algorithm or AlgorithmSpec()),
        resume_policy=spec.resume_policy or ResumePolicy.NEVER,
        objective=spec.objective and _objective(spec.objective),
        trial_template=spec.trial_template and _template(spec.trial_template),
        collector=_collector(spec.collector or CollectorSpec()),
        parameters=tuple(_parameter(parameter) for parameter in spec.parameters),
    )


def _algorithm(spec: AlgorithmSpec) -> AlgorithmSpec:
    return replace(spec, name=spec.name or ALGORITHM)


def _parallel_trials(spec: ExperimentSpec) -> int:
    """Return the user's number, or a default that `maxTrialCount` allows."""
    parallel, most = spec.parallel_trial_count, spec.max_trial_count
    if parallel is not None:
        return parallel
    return min(PARALLEL_TRIALS, most) if most is not None and most > 0 else PARALLEL_TRIALS


def _objective(objective: Objective) -> Objective:
    """Add a strategy for each metric without one, after those of the user."""
    strategy = STRATEGIES[objective.type]
    strategies = list(objective.strategies)
    known = {one.name for one in strategies}
    for name in objective.metrics:
        if name and name not in known:
            known.add(name)
            strategies.append(MetricStrategy(name=name, strategy=strategy))
    return replace(objective, strategies=tuple(strategies))


def _template(template: TrialTemplate) -> TrialTemplate:
    """Add the job's conditions and labels; a template in a ConfigMap is unknown here."""
    kind = template.trial_spec.get("kind") if template.trial_spec is not None else None
    if not isinstance(kind, str) or kind not in OUTCOMES:
        return template
    success, failure = OUTCOMES[kind]
    return replace(
        template,
        success_condition=template.success_condition or _has_condition(success),
        failure_condition=template.failure_condition or _has_condition(failure),
        primary_pod_labels=template.primary_pod_labels or dict(_PRIMARY_PODS.get(kind, {})),
    )


def _has_condition(kind: str) -> str:
    """Return the GJSON expression for "a status condition of this type is True"."""
    return f'status.conditions.#(type=="{kind}")#|#(status=="True")#'


def _collector(spec: CollectorSpec) -> CollectorSpec:
    if spec.kind is CollectorKind.FILE:
        return replace(
            spec,
            path=spec.path or METRICS_FILE,
            path_kind=spec.path_kind or PathKind.FILE,
            format=spec.format or LogFormat.TEXT,
        )
    if spec.kind is CollectorKind.TENSORFLOW_EVENT:
        return replace(
            spec,
            path=spec.path or EVENTS_DIRECTORY,
            path_kind=spec.path_kind or PathKind.DIRECTORY,
        )
    if spec.kind is CollectorKind.PROMETHEUS_METRIC:
        return replace(spec, http_get=_http_get(spec.http_get or HttpGet()))
    return spec


def _http_get(http_get: HttpGet) -> HttpGet:
    port = SCRAPE_PORT if http_get.port in (0, "0", "") else http_get.port
    return replace(http_get, path=http_get.path or SCRAPE_PATH, port=port)


def _parameter(parameter: ParameterSpec) -> ParameterSpec:
    space = parameter.space
    if space.distribution is not Distribution.UNSPECIFIED:
        return parameter
    return replace(parameter, space=replace(space, distribution=Distribution.UNIFORM))
