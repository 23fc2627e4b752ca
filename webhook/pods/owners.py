"""The way from a pod to its trial, as a generator: it asks for objects and is sent answers.

    Pod -> Job -> Trial             by owner references, over jobs of any kind and any depth
    Pod, label katib.kubeflow.org/trial -> Trial

The reference to a Trial names it; in Katib the job between them has the same name. Who drives the
generator only fetches, so the same walk serves a cache, the API server and a test.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from api.errors import SpecError
from api.names import EXPERIMENT_LABEL, TRIAL_LABEL
from api.objects.metadata import API_VERSION
from api.objects.suggestions import parse_suggestion
from api.objects.trials import parse_trial
from api.types import CollectorKind, JsonObject, Suggestion, Trial
from webhook.model.lookups import (
    LookupFailed,
    ObjectAbsent,
    ObjectAnswer,
    ObjectFound,
    ObjectLookup,
)
from webhook.model.pods import Owner, PodMetadata, read_metadata
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused, Refuse

MAX_DEPTH = 8
"""Pod, Job, JobSet, TrainJob, ... : no known chain of owners is longer than five."""
MAX_LOOKUPS = 32
_TRIAL, _SUGGESTION = "Trial", "Suggestion"
# Objects that are made before all others: a static pod belongs to its node, and nobody owns that.
_ROOTS = {("v1", "Node"), ("v1", "Namespace")}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwningTrial:
    """What a pod belongs to. With neither trial nor refusal it is nobody's, for certain."""

    trial: Trial | None = None
    suggestion: Suggestion | None = None
    refusal: Refuse | None = None


def find_owning_trial(
    pod: JsonObject, namespace: str
) -> Generator[ObjectLookup, ObjectAnswer, OwningTrial]:
    """Find a pod's trial and the suggestion it came from. Never raises, whatever the pod is.

    A pod that is to be collected with no Trial object needs none, so nothing is asked about it.
    """
    try:
        metadata = read_metadata(pod)
        if metadata.collects:
            return OwningTrial()
        owner = yield from _owning_trial(metadata, namespace)
        trial = (yield from _trial(owner, namespace)) if owner else None
        if trial is None and metadata.labels.get(TRIAL_LABEL):
            trial = yield from _labelled(metadata, namespace)
        suggestion = (yield from _suggestion(trial, namespace)) if trial else None
    except PodRefused as refused:
        return OwningTrial(refusal=refused.refusal)
    except SpecError as error:
        return OwningTrial(refusal=Refuse(Reason.POD_UNREADABLE, str(error)))
    return OwningTrial(trial=trial, suggestion=suggestion)


def _owning_trial(
    metadata: PodMetadata, namespace: str
) -> Generator[ObjectLookup, ObjectAnswer, Owner | None]:
    """Walk up the owners, nearest first, breadth before depth; None where no way leads to a Trial.

    A look-up that failed may have hidden the Trial, so where none is found it counts.
    """
    failed: list[str] = []
    seen: set[Owner] = set()
    level = metadata.owners
    for _ in range(MAX_DEPTH):
        for owner in level:
            if (owner.api_version, owner.kind) == (API_VERSION, _TRIAL) and owner.name:
                return owner
        above: list[Owner] = []
        for owner in level:
            if owner in seen or (owner.api_version, owner.kind) in _ROOTS:
                continue
            seen.add(owner)
            if len(seen) > MAX_LOOKUPS:
                raise PodRefused(Reason.LOOKUP_FAILED, f"it has more than {MAX_LOOKUPS} owners")
            above += yield from _owners_of(owner, namespace, failed)
        level = tuple(above)
    if level:
        raise PodRefused(Reason.LOOKUP_FAILED, f"its owners are a chain longer than {MAX_DEPTH}")
    if failed:
        raise PodRefused(Reason.LOOKUP_FAILED, "; ".join(failed))
    return None


def _owners_of(
    owner: Owner, namespace: str, failed: list[str]
) -> Generator[ObjectLookup, ObjectAnswer, tuple[Owner, ...]]:
    """Fetch an owner and return those above it; a failure is noted, for others may lead on."""
    wanted = ObjectLookup(
        api_version=owner.api_version,
        kind=owner.kind,
        namespace=namespace,
        name=owner.name,
        uid=owner.uid,
    )
    if owner.api_version.count("/") > 1 or not owner.kind or not owner.name:
        failed.append(f"the owner reference to {wanted} is malformed; correct it")
        return ()
    answer = yield wanted
    match answer:
        case ObjectFound(document=document):
            try:
                return read_metadata(document).owners
            except SpecError as error:
                failed.append(f"{wanted} cannot be read: {error}")
        case LookupFailed(cause=cause):
            failed.append(f"{wanted} could not be looked up: {cause}")
        case ObjectAbsent():
            pass  # It is being deleted, and the pod with it.
    return ()


def _trial(owner: Owner, namespace: str) -> Generator[ObjectLookup, ObjectAnswer, Trial]:
    trial = yield from _maybe_trial(owner.name, namespace, owner.uid)
    if trial is None:
        which = f"Trial {namespace}/{owner.name}"
        why = f"{which} owns the pod, but was not found; it may be deleted already"
        raise PodRefused(Reason.TRIAL_MISSING, why)
    return trial


def _labelled(
    metadata: PodMetadata, namespace: str
) -> Generator[ObjectLookup, ObjectAnswer, Trial | None]:
    """Find the Trial of a label; a pod that says by itself what to collect needs none."""
    name = metadata.labels[TRIAL_LABEL]
    trial = yield from _maybe_trial(name, namespace)
    if trial is None and not metadata.names_metrics:
        why = (
            f"the pod has the label {TRIAL_LABEL}, and there is no Trial {namespace}/{name};"
            " create it first, or say with annotations what to collect"
        )
        raise PodRefused(Reason.TRIAL_MISSING, why)
    return trial


def _maybe_trial(
    name: str, namespace: str, uid: str = ""
) -> Generator[ObjectLookup, ObjectAnswer, Trial | None]:
    document = yield from _fetch(_TRIAL, name, namespace, uid)
    if document is None:
        return None
    try:
        return parse_trial(document, unknown_fields=False)
    except SpecError as error:
        raise PodRefused(Reason.TRIAL_UNREADABLE, f"{namespace}/{name}: {error}") from None


def _suggestion(
    trial: Trial, namespace: str
) -> Generator[ObjectLookup, ObjectAnswer, Suggestion | None]:
    """Find the Suggestion that a trial came from; its experiment has the same name."""
    name = trial.metadata.labels.get(EXPERIMENT_LABEL, "")
    collector = trial.spec.collector
    if not name or (collector is not None and collector.kind is CollectorKind.PUSH):
        return None
    document = yield from _fetch(_SUGGESTION, name, namespace)
    if document is None:
        return None
    try:
        return parse_suggestion(document, unknown_fields=False)
    except SpecError as error:
        raise PodRefused(Reason.SUGGESTION_UNREADABLE, f"{namespace}/{name}: {error}") from None


def _fetch(
    kind: str, name: str, namespace: str, uid: str = ""
) -> Generator[ObjectLookup, ObjectAnswer, JsonObject | None]:
    """Fetch one of Katib's objects; None where it is not there."""
    wanted = ObjectLookup(
        api_version=API_VERSION, kind=kind, namespace=namespace, name=name, uid=uid
    )
    answer = yield wanted
    match answer:
        case ObjectFound(document=document):
            return document
        case ObjectAbsent():
            return None
        case LookupFailed(cause=cause):
            raise PodRefused(Reason.LOOKUP_FAILED, f"{wanted} could not be looked up: {cause}")
