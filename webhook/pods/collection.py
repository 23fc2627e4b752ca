"""What to collect from a pod: what its Trial says, or else its own annotations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from api import names
from api.faults import nearest, quoted
from api.installation.service_addresses import (
    ServiceAddress,
    ServiceKind,
    deployed_name,
    stopping_address,
)
from api.objects.defaults import EVENTS_DIRECTORY
from api.types import (
    CollectorKind,
    CollectorSpec,
    HttpGet,
    JsonObject,
    LogFormat,
    ObjectiveType,
    PathKind,
    StopRule,
    Suggestion,
    Trial,
)
from webhook.model.config import Config
from webhook.model.pods import Pod
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodContext, PodRefused
from webhook.pods.annotations import asks_to_push
from webhook.pods.one_pod import runs_one_pod

T = TypeVar("T")

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_TRIAL_DIR_SETTING = "suggestion_trial_dir"
_SOURCES = {
    "stdout": CollectorKind.STDOUT,
    "file": CollectorKind.FILE,
    "events": CollectorKind.TENSORFLOW_EVENT,
}
_DEFAULT_PATHS = {
    CollectorKind.FILE: names.METRICS_FILE,
    CollectorKind.TENSORFLOW_EVENT: EVENTS_DIRECTORY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """The volume that the trials of a population-based search share, and where it is mounted."""

    claim: str
    directory: str
    sub_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What to collect, and the trial name to store it under."""

    trial: str
    kind: CollectorKind
    container: str
    metrics: tuple[str, ...] = ()
    """The objective's first."""
    objective_type: ObjectiveType = ObjectiveType.UNKNOWN
    path: str = ""
    path_kind: PathKind | None = None
    format: LogFormat | None = None
    filters: tuple[str, ...] = ()
    stop_rules: tuple[StopRule, ...] = ()
    early_stopping: ServiceAddress | None = None
    """The service that records early stops; None: the trial has no stop rules."""
    custom: JsonObject | None = None
    http_get: HttpGet | None = None
    """The endpoint to scrape, for kind PrometheusMetric."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """For the pod."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """For the pod."""
    primary: bool = True
    """Whether the metrics come from this pod."""
    one_pod: bool = False
    """Whether the trial's job runs one pod at a time, until one has succeeded."""
    checkpoints: Checkpoints | None = None

    @property
    def stops_at_ours(self) -> bool:
        """Whether the service that records early stops is trialwatch's own."""
        return self.early_stopping is not None and self.early_stopping.kind is ServiceKind.OWN


def collection_of_trial(trial: Trial, pod: Pod, context: PodContext, config: Config) -> Collection:
    """Return what a Trial says to collect from one of its pods.

    Raises:
        PodRefused: the Trial names no metric, or its name or Suggestion cannot be used.
    """
    spec, name = trial.spec, trial.metadata.name
    required = spec.primary_pod_labels
    collector = spec.collector or CollectorSpec()
    # The Trial's own labels go onto all of its pods, except labels that mark the primary pod:
    # otherwise each pod would count as primary when the webhook is called a second time.
    labels = {key: text for key, text in trial.metadata.labels.items() if key not in required}
    container = spec.primary_container_name or _container(pod)
    collection = Collection(
        trial=name,
        kind=collector.kind,
        container=container,
        path=collector.path or _DEFAULT_PATHS.get(collector.kind, ""),
        path_kind=_path_kind(collector.kind, collector.path_kind),
        format=collector.format,
        filters=collector.filters,
        custom=collector.custom,
        http_get=collector.http_get,
        labels={**labels, names.TRIAL_LABEL: _label_value(name)},
        annotations={} if spec.primary_container_name else {names.CONTAINER_ANNOTATION: container},
        primary=required.items() <= pod.metadata.labels.items(),
        one_pod=runs_one_pod(spec.run_spec or {}),
    )
    reports_itself = collector.kind is CollectorKind.PUSH and not asks_to_push(pod.metadata)
    if not collection.primary or reports_itself:
        return collection
    return _with_objective(collection, trial, context, config)


def _with_objective(
    collection: Collection, trial: Trial, context: PodContext, config: Config
) -> Collection:
    objective = trial.spec.objective
    if objective is None or not objective.metric:
        why = f"set spec.objective.objectiveMetricName of Trial {trial.metadata.name}"
        raise PodRefused(Reason.NO_METRICS, why)
    return replace(
        collection,
        metrics=objective.metrics,
        objective_type=objective.type,
        stop_rules=trial.spec.stop_rules,
        early_stopping=_early_stopping(trial, context, config),
        checkpoints=_checkpoints(trial, context.suggestion),
    )


def collection_of_pod(pod: Pod, context: PodContext) -> Collection:
    """Return what a pod's own annotations say to collect; docs/labels.md lists the annotations.

    Raises:
        PodRefused: an annotation is missing or wrong.
    """
    annotations = pod.metadata.annotations
    kind = _choice(annotations, names.SOURCE_ANNOTATION, _SOURCES) or CollectorKind.STDOUT
    formats = {member.value: member for member in LogFormat}
    metrics = [name.strip() for name in annotations.get(names.METRICS_ANNOTATION, "").split(";")]
    if not any(metrics):
        why = f"set the annotation {names.METRICS_ANNOTATION} to their names, separated by `;`"
        raise PodRefused(Reason.NO_METRICS, why)
    trial = _name_of(pod, context)
    container = _container(pod)
    return Collection(
        trial=trial,
        kind=kind,
        container=container,
        metrics=tuple(name for name in metrics if name),
        path=annotations.get(names.PATH_ANNOTATION) or _DEFAULT_PATHS.get(kind, ""),
        path_kind=_path_kind(kind),
        format=_choice(annotations, names.FORMAT_ANNOTATION, formats) or LogFormat.TEXT,
        filters=tuple(
            line
            for line in annotations.get(names.FILTERS_ANNOTATION, "").split("\n")
            if line.strip()
        ),
        labels={names.TRIAL_LABEL: trial},
        annotations={names.CONTAINER_ANNOTATION: container},
    )


def _path_kind(kind: CollectorKind, given: PathKind | None = None) -> PathKind | None:
    """Return the kind of the path; event files are in a directory whatever a Trial says."""
    return PathKind.DIRECTORY if kind is CollectorKind.TENSORFLOW_EVENT else given


def _name_of(pod: Pod, context: PodContext) -> str:
    """Choose the first that is set: the annotation, the label, the job's name, the pod's name."""
    job = next((owner.name for owner in pod.metadata.owners if owner.controller), "")
    name = (
        pod.metadata.annotations.get(names.TRIAL_ANNOTATION)
        or pod.metadata.labels.get(names.TRIAL_LABEL)
        or job
        or pod.metadata.name
        or context.name
    )
    if not name:
        why = f"neither pod nor job has a name yet; set the annotation {names.TRIAL_ANNOTATION}"
        raise PodRefused(Reason.NO_NAME, why)
    return _label_value(name)


def _label_value(name: str) -> str:
    if _LABEL_VALUE.fullmatch(name) is None:
        why = (
            f"{quoted(name)} is not valid as the value of a label; write at most 63 letters,"
            " digits, `-`, `_` and `.`, with a letter or digit at both ends"
        )
        raise PodRefused(Reason.NO_NAME, why)
    return name


def _early_stopping(trial: Trial, context: PodContext, config: Config) -> ServiceAddress | None:
    """Return the service that records early stops; None if the trial has no rules."""
    if not trial.spec.stop_rules:
        return None
    suggestion = context.suggestion
    if suggestion is None or suggestion.spec.algorithm is None:
        experiment = trial.metadata.labels.get(names.EXPERIMENT_LABEL)
        why = (
            f"Trial {trial.metadata.name} has earlyStoppingRules, so it needs the Suggestion that"
            f" its label {names.EXPERIMENT_LABEL} names"
            f" ({quoted(experiment) if experiment else 'not set'}); correct the label, or create"
            " the Suggestion"
        )
        raise PodRefused(Reason.SUGGESTION_MISSING, why)
    # The namespace of the request: documents from a file may lack their own.
    metadata = replace(suggestion.metadata, namespace=context.namespace)
    placed = replace(suggestion, metadata=metadata)
    return stopping_address(placed, config.services, config.ours)


def _checkpoints(trial: Trial, suggestion: Suggestion | None) -> Checkpoints | None:
    if suggestion is None or suggestion.spec.algorithm is None:
        return None
    settings = suggestion.spec.algorithm.settings
    directories = (s.value for s in settings if s.name == _TRIAL_DIR_SETTING and s.value)
    directory = next(directories, "")
    if not directory:
        return None
    experiment = trial.metadata.labels.get(names.EXPERIMENT_LABEL, "")
    return Checkpoints(
        claim=deployed_name(suggestion),
        directory=directory,
        sub_path=f"{experiment}/{trial.metadata.name}",
    )


def _container(pod: Pod) -> str:
    """Return the container that the pod names, else its first one that is not the collector.

    The choice is stored as an annotation: other webhooks may add containers in front, and a second
    call must choose the same container.
    """
    named = pod.metadata.annotations.get(names.CONTAINER_ANNOTATION)
    others = (c.name for c in pod.containers if c.name != names.COLLECTOR_CONTAINER)
    return named or next(others, "")


def _choice(annotations: Mapping[str, str], annotation: str, words: Mapping[str, T]) -> T | None:
    """Read an annotation whose value is one of `words`; None: not set."""
    text = annotations.get(annotation)
    if text is None:
        return None
    if text not in words:
        why = f"{annotation} is {quoted(text)}; write {' or '.join(words)}{nearest(text, words)}"
        raise PodRefused(Reason.ANNOTATION_WRONG, why)
    return words[text]
