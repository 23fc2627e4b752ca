"""What is to be collected from a pod: from its Trial, or from its own annotations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from api import names
from api.faults import nearest, quoted
from api.installation.places import deployed_name, stopping_place
from api.types import (
    CollectorKind,
    CollectorSpec,
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

T = TypeVar("T")

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_TRIAL_DIR_SETTING = "suggestion_trial_dir"
_SOURCES = {"stdout": CollectorKind.STDOUT, "file": CollectorKind.FILE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """The volume that a population-based search hands from trial to trial."""

    claim: str
    directory: str
    sub_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What is to be collected, and under which name it is stored."""

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
    early_stopping: str = ""
    custom: JsonObject | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """For the pod."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """For the pod."""
    primary: bool = True
    """The metrics come from this pod."""
    checkpoints: Checkpoints | None = None


def collection_of_trial(trial: Trial, pod: Pod, context: PodContext, config: Config) -> Collection:
    """Say what a Trial wants of a pod of its.

    Raises:
        Refused: the Trial does not say enough.
    """
    spec, name = trial.spec, trial.metadata.name
    required = spec.primary_pod_labels
    collector = spec.collector or CollectorSpec()
    # A Trial's own labels go onto all of its pods. One that tells the primary pod must not, or
    # each of them would pass for it when the webhook is asked once more.
    labels = {key: text for key, text in trial.metadata.labels.items() if key not in required}
    container = spec.primary_container_name or _container(pod)
    collection = Collection(
        trial=name,
        kind=collector.kind,
        container=container,
        path=collector.path or _default_path(collector.kind),
        path_kind=collector.path_kind,
        format=collector.format,
        filters=collector.filters,
        custom=collector.custom,
        labels={**labels, names.TRIAL_LABEL: _label_value(name)},
        annotations={} if spec.primary_container_name else {names.CONTAINER_ANNOTATION: container},
        primary=required.items() <= pod.metadata.labels.items(),
    )
    if not collection.primary or collector.kind is CollectorKind.PUSH:
        return collection
    return _with_objective(collection, trial, context, config)


def _with_objective(
    collection: Collection, trial: Trial, context: PodContext, config: Config
) -> Collection:
    objective = trial.spec.objective
    if objective is None or not objective.metric:
        why = f"Trial {trial.metadata.name} has no spec.objective.objectiveMetricName"
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
    """Say what a pod's own annotations want; docs/labels.md has them all.

    Raises:
        Refused: they do not say enough, or what makes no sense.
    """
    said = pod.metadata.annotations
    kind = _word(said, names.SOURCE_ANNOTATION, _SOURCES) or CollectorKind.STDOUT
    formats = {member.value: member for member in LogFormat}
    metrics = [name.strip() for name in said.get(names.METRICS_ANNOTATION, "").split(";")]
    if not any(metrics):
        why = f"set the annotation {names.METRICS_ANNOTATION} to their names, joined by `;`"
        raise PodRefused(Reason.NO_METRICS, why)
    trial = _name_of(pod, context)
    container = _container(pod)
    return Collection(
        trial=trial,
        kind=kind,
        container=container,
        metrics=tuple(name for name in metrics if name),
        path=said.get(names.PATH_ANNOTATION) or _default_path(kind),
        format=_word(said, names.FORMAT_ANNOTATION, formats) or LogFormat.TEXT,
        filters=tuple(
            line for line in said.get(names.FILTERS_ANNOTATION, "").split("\n") if line.strip()
        ),
        labels={names.TRIAL_LABEL: trial},
        annotations={names.CONTAINER_ANNOTATION: container},
    )


def _default_path(kind: CollectorKind) -> str:
    return names.METRICS_FILE if kind is CollectorKind.FILE else ""


def _name_of(pod: Pod, context: PodContext) -> str:
    """Choose the name: the annotation, the label, the job's, the pod's."""
    job = next((owner.name for owner in pod.metadata.owners if owner.controller), "")
    name = (
        pod.metadata.annotations.get(names.TRIAL_ANNOTATION)
        or pod.metadata.labels.get(names.TRIAL_LABEL)
        or job
        or pod.metadata.name
        or context.name
    )
    if not name:
        why = f"the pod has no name yet, and no job; set the annotation {names.TRIAL_ANNOTATION}"
        raise PodRefused(Reason.NO_NAME, why)
    return _label_value(name)


def _label_value(name: str) -> str:
    if _LABEL_VALUE.fullmatch(name) is None:
        why = (
            f"{quoted(name)} cannot be a label's value, by which the pod is found: write at most 63"
            " letters, digits, `-`, `_` and `.`, a letter or digit at both ends"
        )
        raise PodRefused(Reason.NO_NAME, why)
    return name


def _early_stopping(trial: Trial, context: PodContext, config: Config) -> str:
    """Return the address of the service that hears of stops, where there can be any."""
    if not trial.spec.stop_rules:
        return ""
    suggestion = context.suggestion
    if suggestion is None or suggestion.spec.algorithm is None:
        experiment = trial.metadata.labels.get(names.EXPERIMENT_LABEL)
        why = (
            f"Trial {trial.metadata.name} has earlyStoppingRules, whose service is told by the"
            f" Suggestion of its experiment; label {names.EXPERIMENT_LABEL}:"
            f" {quoted(experiment) if experiment else 'not set'}"
        )
        raise PodRefused(Reason.SUGGESTION_MISSING, why)
    # The object's own namespace; documents from a file may leave it out.
    metadata = replace(suggestion.metadata, namespace=context.namespace)
    placed = replace(suggestion, metadata=metadata)
    return stopping_place(placed, config.services, config.ours).address


def _checkpoints(trial: Trial, suggestion: Suggestion | None) -> Checkpoints | None:
    if suggestion is None or suggestion.spec.algorithm is None:
        return None
    settings = suggestion.spec.algorithm.settings
    found = (one.value for one in settings if one.name == _TRIAL_DIR_SETTING and one.value)
    directory = next(found, "")
    if not directory:
        return None
    experiment = trial.metadata.labels.get(names.EXPERIMENT_LABEL, "")
    return Checkpoints(
        claim=deployed_name(suggestion),
        directory=directory,
        sub_path=f"{experiment}/{trial.metadata.name}",
    )


def _container(pod: Pod) -> str:
    """Return the container that the pod names, else its first one that is not our own.

    The choice is kept as an annotation: others may put their containers before the first one, and
    when the webhook is asked once more, the answer has to be the same.
    """
    named = pod.metadata.annotations.get(names.CONTAINER_ANNOTATION)
    others = (one.name for one in pod.containers if one.name != names.COLLECTOR_CONTAINER)
    return named or next(others, "")


def _word(said: Mapping[str, str], annotation: str, words: Mapping[str, T]) -> T | None:
    """Read an annotation that has one of a few words; None where it is not there."""
    text = said.get(annotation)
    if text is None:
        return None
    if text not in words:
        why = f"{annotation} is {quoted(text)}{nearest(text, words)}; write {' or '.join(words)}"
        raise PodRefused(Reason.ANNOTATION_WRONG, why)
    return words[text]
