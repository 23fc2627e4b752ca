"""Warnings: what is valid in an experiment, but probably a mistake. `kubectl apply` shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api import names
from api.errors import UserError
from api.faults import quoted
from api.objects.validation import warnings_of
from api.pod_labels import place_of_pod_labels
from api.types import CollectorKind, CollectorSpec, Experiment, ExperimentSpec, Json, LogFormat
from filters.pattern_names import unfindable_names
from kube.cluster import labels_of
from webhook.model.config import Config
from webhook.model.lookups import ObjectAnswer, ObjectFound

_COLLECTOR = "spec.metricsCollectorSpec"
_NEVER_INJECTED = "kube-system"
_DEEPEST = 16
"""Levels of a job that are searched for a pod template."""


def needs_namespace(experiment: Experiment) -> bool:
    """Return whether a label of the namespace decides if the webhook gets the trials' pods."""
    spec, template = experiment.spec, experiment.spec.trial_template
    if template is None or template.trial_spec is None or _pushes(spec):
        return False
    job = template.trial_spec
    return not place_of_pod_labels(job) and not _has_pods(job, _DEEPEST)


def warnings_of_experiment(
    experiment: Experiment, namespace: str, config: Config, looked_up: ObjectAnswer | None = None
) -> tuple[str, ...]:
    """List the warnings; `looked_up` is the namespace, None if it was not looked up."""
    return (
        *(str(fault) for fault in warnings_of(experiment)),
        *_endless(experiment.spec),
        *_unfindable(experiment.spec),
        *_unread(experiment.spec.collector),
        *_katibs_collector(experiment.spec.collector, config),
        *_unseen(experiment.spec, namespace, looked_up),
    )


def _endless(spec: ExperimentSpec) -> Iterator[str]:
    goal = spec.objective.goal if spec.objective else None
    searches_on = spec.algorithm is not None and spec.algorithm.name != "grid"
    if spec.max_trial_count is None and goal is None and searches_on:
        yield (
            "spec.maxTrialCount: neither it nor spec.objective.goal is set, so the search never"
            " ends by itself; set one of them"
        )


def _unfindable(spec: ExperimentSpec) -> Iterator[str]:
    """Find metrics whose names no filter can match."""
    filters = spec.collector.filters if spec.collector else ()
    if not filters or spec.objective is None or _pushes(spec):
        return
    try:
        unfindable = unfindable_names(filters, spec.objective.metrics)
    except UserError:  # a stored experiment may have such a pattern; its change is allowed
        return
    for name in unfindable:
        yield (
            f"{_COLLECTOR}.source.filter.metricsFormat: no pattern can find the metric"
            f" {quoted(name)}, because no group for the name matches it; widen the group, or"
            " delete metricsFormat to find metrics by their names"
        )


def _unread(spec: CollectorSpec | None) -> Iterator[str]:
    if spec is None or spec.kind is not CollectorKind.STDOUT:
        return
    place = f"{_COLLECTOR}.source.fileSystemPath"
    if spec.format is LogFormat.JSON:
        yield f"{place}.format: kind StdOut ignores it; write kind File to read JSON"
    elif spec.path and spec.path != names.METRICS_FILE:
        yield f"{place}.path: kind StdOut ignores it; write kind File to read a file"


def _katibs_collector(spec: CollectorSpec | None, config: Config) -> Iterator[str]:
    """Find a collector that trialwatch's webhook refuses; Katib's webhook can inject it."""
    kind = (spec or CollectorSpec()).kind
    collector = config.collectors.get(kind)
    if collector is not None and collector.is_katibs:
        yield (
            f"{_COLLECTOR}.collector.kind: {names.CONFIG_MAP} names Katib's own collector for kind"
            f" {kind}, {quoted(collector.image)}, so trialwatch's webhook refuses the pods of the"
            " trials; name the image of trialwatch's collector under runtime.metricsCollectors"
        )


def _unseen(spec: ExperimentSpec, namespace: str, looked_up: ObjectAnswer | None) -> Iterator[str]:
    """Find trials whose pods the API server never sends to the webhook."""
    if _pushes(spec):
        return
    if namespace == _NEVER_INJECTED:
        yield f"metadata.namespace: pods in {namespace} get no collector; use another namespace"
        return
    label = f"{names.INJECTION_LABEL}={names.INJECTION_ENABLED}"
    if looked_up is None:
        return
    remedy = (
        f"the job has no pod template to put the label {names.TRIAL_LABEL} on, so its pods get a"
        f" collector only if the namespace has the label {label}"
    )
    if not isinstance(looked_up, ObjectFound):
        yield f"metadata.namespace: {remedy}; the webhook cannot look up the namespace"
    elif labels_of(looked_up.document).get(names.INJECTION_LABEL) != names.INJECTION_ENABLED:
        yield (
            f"metadata.namespace: {remedy}; set it with kubectl label namespace {namespace} {label}"
        )


def _pushes(spec: ExperimentSpec) -> bool:
    return spec.collector is not None and spec.collector.kind is CollectorKind.PUSH


def _has_pods(part: Json, levels: int) -> bool:
    """Return whether a job is a pod, or has a pod template somewhere."""
    if not levels:
        return False
    if isinstance(part, Mapping):
        spec = part.get("spec")
        pods = isinstance(spec, Mapping) and "containers" in spec
        return pods or any(_has_pods(child, levels - 1) for child in part.values())
    return isinstance(part, list | tuple) and any(_has_pods(child, levels - 1) for child in part)
