"""Decides what to do with a pod, from the pod and all that was looked up; changes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from api import names
from api.errors import SpecError, UserError
from api.faults import nearest, quoted
from api.reductions import Reduction
from api.types import CollectorKind, JsonObject, LogFormat, Trial
from filters.extractor import extraction_spec
from webhook.model.config import Config
from webhook.model.plan import Plan
from webhook.model.pods import Container, Pod, PodMetadata, read_metadata, read_pod
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, PodContext, PodRefused, Refuse, Skip, Verdict
from webhook.pods.annotations import read_annotations
from webhook.pods.checkpoints import with_checkpoints
from webhook.pods.collection import Collection, collection_of_pod, collection_of_trial
from webhook.pods.custom_collector import plan_custom_collector
from webhook.pods.injection import plan_injection
from webhook.pods.injection_request import InjectionRequest
from webhook.pods.job_rank import pod_reduction

_CACHED_CHARACTERS = 4096
"""Longer metrics and patterns are not kept: pods of tenants must not fill the memory."""
_NAME_VARIABLE: JsonObject = {
    "name": names.TRIAL_NAME_ENV,
    "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{names.TRIAL_LABEL}']"}},
}


def decide(pod: JsonObject, context: PodContext, trial: Trial | None, config: Config) -> Verdict:
    """Decide on a pod; never raises, whatever the pod contains.

    | trial | label `trialwatch.dev/collect` | label `katib.kubeflow.org/trial` | what is done |
    |---|---|---|---|
    | found | any | any | collect what the Trial says |
    | none | `true` | any | collect what the pod's annotations say |
    | none | none or `false` | any name | the same |
    | none | none or `false` | none | the pod passes unchanged, even if it is not valid |
    | none | anything else | any | refused: a typing mistake must not lose the metrics silently |
    """
    try:
        if trial is None and not asks_for_collection(read_metadata(pod)):
            return Skip(Reason.NOBODYS_TRIAL)
        return _decide(read_pod(pod), context, trial, config)
    except PodRefused as refused:
        return refused.refusal
    except SpecError as error:
        return Refuse(Reason.POD_UNREADABLE, str(error))


def _decide(pod: Pod, context: PodContext, trial: Trial | None, config: Config) -> Verdict:
    collection = (
        collection_of_trial(trial, pod, context, config)
        if trial
        else collection_of_pod(pod, context)
    )
    if not collection.primary:
        return Inject(reason=Reason.NOT_PRIMARY, plan=Plan(labels=collection.labels))
    trainer = _trainer(pod, collection)
    plan = Plan(
        labels=collection.labels,
        annotations=collection.annotations,
        trainer=trainer.name,
        env=(_NAME_VARIABLE,),
    )
    plan = with_checkpoints(plan, collection, pod)
    settings = read_annotations(pod.metadata)
    reduction = pod_reduction(pod.metadata, settings.reduction)
    if reduction and reduction.reduction is Reduction.RANK0 and not reduction.is_rank_0:
        # Its values are not the trial's, so they must not stop the trial.
        collection = replace(collection, stop_rules=(), early_stopping=None)
    request = InjectionRequest(
        pod=pod,
        trainer=trainer,
        collection=collection,
        settings=settings,
        reduction=reduction,
        context=context,
        config=config,
    )
    match collection.kind:
        case CollectorKind.PUSH if not request.settings.push:
            return Inject(reason=Reason.PUSHES, plan=plan)
        case CollectorKind.CUSTOM:
            return plan_custom_collector(plan, request)
        case CollectorKind.STDOUT | CollectorKind.FILE:
            _check_filters(collection)
            return plan_injection(plan, request)
        case CollectorKind.TENSORFLOW_EVENT:
            _check_filters(replace(collection, filters=(), format=None))
            return plan_injection(plan, request)
        case CollectorKind.PUSH | CollectorKind.PROMETHEUS_METRIC:
            return plan_injection(plan, request)


def asks_for_collection(metadata: PodMetadata) -> bool:
    """Return whether a pod's labels ask to collect its metrics. Raises PodRefused."""
    collect = metadata.labels.get(names.COLLECT_LABEL, "false")
    if collect not in ("true", "false"):
        why = f'label {names.COLLECT_LABEL} is {quoted(collect)}; write "true" or "false"'
        raise PodRefused(Reason.ANNOTATION_WRONG, why)
    return collect == "true" or names.TRIAL_LABEL in metadata.labels


def _trainer(pod: Pod, collection: Collection) -> Container:
    """Find the container that trains. As in Katib, it is not an init container."""
    if pod.windows:
        raise PodRefused(Reason.WINDOWS, "run the trial on Linux nodes")
    if collection.container == names.COLLECTOR_CONTAINER:
        why = (
            f"the container that trains has the collector's name, {collection.container}; rename it"
        )
        raise PodRefused(Reason.NAME_TAKEN, why)
    for container in pod.containers:
        if container.name == collection.container:
            return container
    existing = [container.name for container in pod.containers]
    why = (
        f"{quoted(collection.container)} is expected, but the pod has"
        f" {', '.join(existing) or 'none'}; change the Trial's primaryContainerName or the pod's"
        f" annotation {names.CONTAINER_ANNOTATION}; if a job has several kinds of pods, set the"
        " Trial's primaryPodLabels to the labels of the pod that trains"
        f"{nearest(collection.container, existing)}"
    )
    raise PodRefused(Reason.NO_CONTAINER, why)


def _check_filters(collection: Collection) -> None:
    metrics, filters = collection.metrics, collection.filters
    size = sum(map(len, (*metrics, *filters)))
    look = _known_fault if size <= _CACHED_CHARACTERS else _fault
    fault = look(metrics, collection.format or LogFormat.TEXT, filters)
    if fault is not None:
        raise PodRefused(Reason.FILTER_WRONG, fault)


def _fault(metrics: tuple[str, ...], form: LogFormat, filters: tuple[str, ...]) -> str | None:
    """Return what is wrong, if anything."""
    try:
        extraction_spec(metrics, form, filters)
    except UserError as error:
        return str(error)
    return None


# All trials of an experiment are alike.
_known_fault = lru_cache(maxsize=1024)(_fault)
