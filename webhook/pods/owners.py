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
from webhook.model.pods import Head, Owner, read_head
from webhook.model.reasons import Reason
from webhook.model.verdicts import Refuse, Refused

MAX_DEPTH = 8
"""Pod, Job, JobSet, TrainJob, ... : no known chain of owners is longer than five."""
MAX_LOOKUPS = 32
_TRIAL, _SUGGESTION = "Trial", "Suggestion"
# Objects that are made before all others: a static pod belongs to its node, and nobody owns that.
_ROOTS = {("v1", "Node"), ("v1", "Namespace")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An object that is needed."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""
    """As the reference to it says; an object of the same name with another uid is not meant."""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name} ({self.api_version})"


@dataclass(frozen=True, slots=True)
class Found:
    """The object is there."""

    document: JsonObject


@dataclass(frozen=True, slots=True)
class Absent:
    """It is certain that there is no such object."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Nobody knows: the look-up failed, for this cause, as often as it was tried."""

    cause: str


Answer = Found | Absent | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """What a pod belongs to. With neither trial nor refusal it is nobody's, for certain."""

    trial: Trial | None = None
    suggestion: Suggestion | None = None
    refusal: Refuse | None = None


def kin_of(pod: JsonObject, namespace: str) -> Generator[Wanted, Answer, Kin]:
    """Find a pod's trial and the suggestion it came from. Never raises, whatever the pod is.

    A pod that is to be collected with no Trial object needs none, so nothing is asked about it.
    """
    try:
        head = read_head(pod)
        if head.collects:
            return Kin()
        owner = yield from _owning_trial(head, namespace)
        trial = (yield from _trial(owner, namespace)) if owner else None
        if trial is None and head.labels.get(TRIAL_LABEL):
            trial = yield from _labelled(head, namespace)
        suggestion = (yield from _suggestion(trial, namespace)) if trial else None
    except Refused as refused:
        return Kin(refusal=refused.refusal)
    except SpecError as error:
        return Kin(refusal=Refuse(Reason.POD_UNREADABLE, str(error)))
    return Kin(trial=trial, suggestion=suggestion)


def _owning_trial(head: Head, namespace: str) -> Generator[Wanted, Answer, Owner | None]:
    """Walk up the owners, nearest first, breadth before depth; None where no way leads to a Trial.

    A look-up that failed may have hidden the Trial, so where none is found it counts.
    """
    failed: list[str] = []
    seen: set[Owner] = set()
    level = head.owners
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
                raise Refused(Reason.LOOKUP_FAILED, f"it has more than {MAX_LOOKUPS} owners")
            above += yield from _owners_of(owner, namespace, failed)
        level = tuple(above)
    if level:
        raise Refused(Reason.LOOKUP_FAILED, f"its owners are a chain longer than {MAX_DEPTH}")
    if failed:
        raise Refused(Reason.LOOKUP_FAILED, "; ".join(failed))
    return None


def _owners_of(
    owner: Owner, namespace: str, failed: list[str]
) -> Generator[Wanted, Answer, tuple[Owner, ...]]:
    """Fetch an owner and return those above it; a failure is noted, for others may lead on."""
    wanted = Wanted(
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
        case Found(document=document):
            try:
                return read_head(document).owners
            except SpecError as error:
                failed.append(f"{wanted} cannot be read: {error}")
        case Failed(cause=cause):
            failed.append(f"{wanted} could not be looked up: {cause}")
        case Absent():
            pass  # It is being deleted, and the pod with it.
    return ()


def _trial(owner: Owner, namespace: str) -> Generator[Wanted, Answer, Trial]:
    trial = yield from _maybe_trial(owner.name, namespace, owner.uid)
    if trial is None:
        which = f"Trial {namespace}/{owner.name}"
        why = f"{which} owns the pod, but was not found; it may be deleted already"
        raise Refused(Reason.TRIAL_MISSING, why)
    return trial


def _labelled(head: Head, namespace: str) -> Generator[Wanted, Answer, Trial | None]:
    """Find the Trial of a label; a pod that says by itself what to collect needs none."""
    name = head.labels[TRIAL_LABEL]
    trial = yield from _maybe_trial(name, namespace)
    if trial is None and not head.says_metrics:
        why = (
            f"the pod has the label {TRIAL_LABEL}, and there is no Trial {namespace}/{name};"
            " create it first, or say with annotations what to collect"
        )
        raise Refused(Reason.TRIAL_MISSING, why)
    return trial


def _maybe_trial(
    name: str, namespace: str, uid: str = ""
) -> Generator[Wanted, Answer, Trial | None]:
    document = yield from _fetch(_TRIAL, name, namespace, uid)
    if document is None:
        return None
    try:
        return parse_trial(document, unknown_fields=False)
    except SpecError as error:
        raise Refused(Reason.TRIAL_UNREADABLE, f"{namespace}/{name}: {error}") from None


def _suggestion(trial: Trial, namespace: str) -> Generator[Wanted, Answer, Suggestion | None]:
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
        raise Refused(Reason.SUGGESTION_UNREADABLE, f"{namespace}/{name}: {error}") from None


def _fetch(
    kind: str, name: str, namespace: str, uid: str = ""
) -> Generator[Wanted, Answer, JsonObject | None]:
    """Fetch one of Katib's objects; None where it is not there."""
    wanted = Wanted(api_version=API_VERSION, kind=kind, namespace=namespace, name=name, uid=uid)
    answer = yield wanted
    match answer:
        case Found(document=document):
            return document
        case Absent():
            return None
        case Failed(cause=cause):
            raise Refused(Reason.LOOKUP_FAILED, f"{wanted} could not be looked up: {cause}")
