"""A pod and all that is known about it in, what is to be done out; nothing is changed here."""

from __future__ import annotations

from functools import lru_cache

from api import names
from api.errors import SpecError, UserError
from api.faults import nearest, quoted
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

_NAME_VARIABLE: JsonObject = {
    "name": names.TRIAL_NAME_ENV,
    "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{names.TRIAL_LABEL}']"}},
}


def decide(pod: JsonObject, context: PodContext, trial: Trial | None, config: Config) -> Verdict:
    """Decide what becomes of a pod; never raises, whatever the pod is.

    | trial | label `trialwatch.dev/collect` | label of Katib | what is done |
    |---|---|---|---|
    | known | any | any | what the Trial says |
    | none | `true` | any | what the pod's annotations say |
    | none | none or `false` | any name | the same |
    | none | none or `false` | none | the pod passes as it is, whatever it is |
    | none | anything else | any | refused: a slip must not cost the metrics in silence |
    """
    try:
        if trial is None and not _asks(read_metadata(pod)):
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
    request = InjectionRequest(
        pod=pod,
        trainer=trainer,
        collection=collection,
        settings=read_annotations(pod.metadata),
        context=context,
        config=config,
    )
    match collection.kind:
        case CollectorKind.PUSH:
            return Inject(reason=Reason.PUSHES, plan=plan)
        case CollectorKind.CUSTOM:
            return plan_custom_collector(plan, request)
        case CollectorKind.STDOUT | CollectorKind.FILE:
            _check_filters(collection)
            return plan_injection(plan, request)
        case CollectorKind.TENSORFLOW_EVENT | CollectorKind.PROMETHEUS_METRIC:
            why = f"{collection.kind.value}; write StdOut, File, Custom or Push"
            raise PodRefused(Reason.KIND_UNSUPPORTED, why)


def _asks(metadata: PodMetadata) -> bool:
    said = metadata.labels.get(names.COLLECT_LABEL, "false")
    if said not in ("true", "false"):
        why = f'label {names.COLLECT_LABEL} is {quoted(said)}; write "true" or "false"'
        raise PodRefused(Reason.ANNOTATION_WRONG, why)
    return said == "true" or names.TRIAL_LABEL in metadata.labels


def _trainer(pod: Pod, collection: Collection) -> Container:
    """Find the container that trains among the ordinary ones, as Katib does."""
    if pod.windows:
        raise PodRefused(Reason.WINDOWS, "run the trial on Linux nodes")
    if collection.container == names.COLLECTOR_CONTAINER:
        why = f"the container that trains is called {collection.container}; rename it"
        raise PodRefused(Reason.NAME_TAKEN, why)
    for one in pod.containers:
        if one.name == collection.container:
            return one
    there = [one.name for one in pod.containers]
    near = nearest(collection.container, there).removeprefix("; ").capitalize()
    why = (
        f"it should be {quoted(collection.container)}, and there is {', '.join(there) or 'none'}."
        f" {near or 'Correct'} {'Correct ' if near else ''}the Trial's primaryContainerName or the"
        f" annotation {names.CONTAINER_ANNOTATION}; where a job has pods of several kinds, say with"
        " primaryPodLabels which one trains"
    )
    raise PodRefused(Reason.NO_CONTAINER, why)


def _check_filters(collection: Collection) -> None:
    fault = _fault(collection.metrics, collection.format or LogFormat.TEXT, collection.filters)
    if fault is not None:
        raise PodRefused(Reason.FILTER_WRONG, fault)


@lru_cache(maxsize=1024)
def _fault(metrics: tuple[str, ...], form: LogFormat, filters: tuple[str, ...]) -> str | None:
    """Say what is wrong; remembered, because the trials of an experiment all ask the same."""
    try:
        extraction_spec(metrics, form, filters)
    except UserError as error:
        return str(error)
    return None
