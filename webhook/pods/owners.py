"""Finds the trial of a pod: a generator that yields look-ups of objects and receives the answers.

    Pod -> Job -> Trial                            by owner references, through any kinds of jobs
    Pod, label katib.kubeflow.org/trial -> Trial   by name

The driver of the generator only fetches objects, so one walk works with a cache, the API server
and a test's documents.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from api.errors import SpecError
from api.limits import faults_of_size
from api.names import EXPERIMENT_LABEL, METRICS_ANNOTATION, TRIAL_LABEL
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
from webhook.model.verdicts import PodRefused

MAX_DEPTH = 8
"""Levels of owners, such as Pod, Job, JobSet, TrainJob; known chains have five at the most."""
MAX_LOOKUPS = 32
"""Owners that are looked up for one pod."""
_TRIAL, _SUGGESTION = "Trial", "Suggestion"
# Kinds that have no owner: they end the walk. A static pod is owned by its Node.
_ROOTS = {("v1", "Node"), ("v1", "Namespace")}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwningTrial:
    """The trial of a pod, and its suggestion; None: the pod belongs to no trial that is known."""

    trial: Trial | None = None
    suggestion: Suggestion | None = None
    unknown: str = ""
    """Without a trial: which owner could not be looked up, or does not exist. "": neither."""


class _OwnerUnknownError(Exception):
    """An owner could not be looked up; the text says why."""


def find_owning_trial(
    metadata: PodMetadata, namespace: str
) -> Generator[ObjectLookup, ObjectAnswer, OwningTrial]:
    """Find the trial of a pod, and the suggestion that the trial came from.

    A pod with the label `trialwatch.dev/collect` needs no Trial, so nothing is looked up for it.

    An owner that cannot be looked up might lead to a Trial:

    | the pod has the label of a trial | what is done |
    |---|---|
    | yes | refused |
    | no | it is a stranger's, as far as anyone can see: `unknown` has the cause |

    Raises:
        PodRefused: a look-up failed, or found an object that is not valid or not the right one.
    """
    if metadata.collects:
        return OwningTrial()
    absent: list[str] = []
    try:
        owner = yield from _trial_owner(metadata, namespace, absent)
    except _OwnerUnknownError as error:
        if TRIAL_LABEL in metadata.labels:
            raise PodRefused(Reason.LOOKUP_FAILED, str(error)) from None
        return OwningTrial(unknown=str(error))
    trial = (yield from _trial(owner, namespace)) if owner else None
    if trial is None and metadata.labels.get(TRIAL_LABEL):
        trial = yield from _trial_of_label(metadata, namespace)
    suggestion = (yield from _suggestion(trial, namespace)) if trial else None
    return OwningTrial(trial=trial, suggestion=suggestion, unknown="; ".join(absent))


def _trial_owner(
    metadata: PodMetadata, namespace: str, absent: list[str]
) -> Generator[ObjectLookup, ObjectAnswer, Owner | None]:
    """Walk up the owners, breadth first; return the reference to a Trial, or None.

    Owners that do not exist are added to `absent`. The garbage collector deletes what they own.

    Raises:
        _OwnerUnknownError: the walk found no Trial, but it could not visit all owners.
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
                raise _OwnerUnknownError(f"the pod has more than {MAX_LOOKUPS} owners")
            above += yield from _owners_of(owner, namespace, failed, absent)
        level = tuple(above)
    if level:
        raise _OwnerUnknownError(f"the pod's chain of owners has more than {MAX_DEPTH} levels")
    if failed:
        raise _OwnerUnknownError("; ".join(failed))
    return None


def _owners_of(
    owner: Owner, namespace: str, failed: list[str], absent: list[str]
) -> Generator[ObjectLookup, ObjectAnswer, tuple[Owner, ...]]:
    """Look an owner up and return its own owners; add a failure to `failed` or `absent`."""
    lookup = ObjectLookup(
        api_version=owner.api_version,
        kind=owner.kind,
        namespace=namespace,
        name=owner.name,
        uid=owner.uid,
    )
    if owner.api_version.count("/") > 1 or not owner.kind or not owner.name:
        failed.append(f"the owner reference to {lookup} is malformed; correct it")
        return ()
    answer = yield lookup
    match answer:
        case ObjectFound(document=document):
            try:
                return read_metadata(document).owners
            except SpecError as error:
                failed.append(f"{lookup} is not valid: {error}")
        case LookupFailed(cause=cause):
            failed.append(f"cannot look up {lookup}: {cause}")
        case ObjectAbsent():
            absent.append(f"{lookup} does not exist")
    return ()


def _trial(owner: Owner, namespace: str) -> Generator[ObjectLookup, ObjectAnswer, Trial]:
    trial = yield from _maybe_trial(owner.name, namespace, owner.uid)
    if trial is None:
        which = f"Trial {namespace}/{owner.name}"
        why = f"{which} owns the pod but was not found; if it was deleted, delete its job too"
        raise PodRefused(Reason.TRIAL_MISSING, why)
    return trial


def _trial_of_label(
    metadata: PodMetadata, namespace: str
) -> Generator[ObjectLookup, ObjectAnswer, Trial | None]:
    """Find the Trial that the pod's label names; a pod that names its metrics needs none."""
    name = metadata.labels[TRIAL_LABEL]
    trial = yield from _maybe_trial(name, namespace)
    if trial is None and not metadata.names_metrics:
        why = (
            f"the pod's label {TRIAL_LABEL} names Trial {namespace}/{name}; create that Trial"
            f" first, or set the annotation {METRICS_ANNOTATION} to collect without a Trial"
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
        _check_size(document)
        return parse_trial(document, unknown_fields=False)
    except SpecError as error:
        why = f"Trial {namespace}/{name}: {error}; correct the Trial"
        raise PodRefused(Reason.TRIAL_UNREADABLE, why) from None


def _suggestion(
    trial: Trial, namespace: str
) -> Generator[ObjectLookup, ObjectAnswer, Suggestion | None]:
    """Find the Suggestion that a trial came from; it has the name of the experiment."""
    name = trial.metadata.labels.get(EXPERIMENT_LABEL, "")
    collector = trial.spec.collector
    reports_itself = collector is not None and collector.kind is CollectorKind.PUSH
    if not name or (reports_itself and not trial.spec.stop_rules):
        return None
    document = yield from _fetch(_SUGGESTION, name, namespace)
    if document is None:
        return None
    try:
        _check_size(document)
        return parse_suggestion(document, unknown_fields=False)
    except SpecError as error:
        why = f"Suggestion {namespace}/{name}: {error}; correct the Suggestion"
        raise PodRefused(Reason.SUGGESTION_UNREADABLE, why) from None


def _check_size(document: JsonObject) -> None:
    """Raise SpecError for an object that takes long to read: users may write one by hand."""
    faults = faults_of_size(document)
    if faults:
        raise SpecError(faults)


def _fetch(
    kind: str, name: str, namespace: str, uid: str = ""
) -> Generator[ObjectLookup, ObjectAnswer, JsonObject | None]:
    """Look up one of Katib's objects; None if it does not exist."""
    lookup = ObjectLookup(
        api_version=API_VERSION, kind=kind, namespace=namespace, name=name, uid=uid
    )
    answer = yield lookup
    match answer:
        case ObjectFound(document=document):
            return document
        case ObjectAbsent():
            return None
        case LookupFailed(cause=cause):
            raise PodRefused(Reason.LOOKUP_FAILED, f"cannot look up {lookup}: {cause}")
