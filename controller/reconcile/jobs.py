"""A trial's job: the document that is created, and the state that its status describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from api.documents import mapping_at
from api.errors import UserError
from api.gjson import MISSING, query
from api.names import TRIAL_LABEL
from api.objects.metadata import API_VERSION
from api.pod_labels import place_of_pod_labels
from api.types import Json, JsonObject, Trial
from controller.reconcile.train_job import with_pod_labels

_MAX_DEPTH = 20
"""Levels of a document that are searched for pod templates."""


class JobOutcome(StrEnum):
    """Whether a job runs, has succeeded or has failed."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """The state of a job, with the reason and message of the job itself."""

    outcome: JobOutcome
    reason: str = ""
    message: str = ""


def state_of_job(trial: Trial, document: JsonObject) -> JobState:
    """Evaluate the trial's two conditions over a job; failure comes before success.

    A condition that cannot be evaluated counts as a failure: otherwise the trial would never end.
    """
    conditions = (
        (JobOutcome.FAILED, "failureCondition", trial.spec.failure_condition),
        (JobOutcome.SUCCEEDED, "successCondition", trial.spec.success_condition),
    )
    for outcome, field, expression in conditions:
        if not expression:
            continue
        try:
            matched = matching_object(document, expression)
        except UserError as error:
            message = f"spec.{field} cannot be evaluated: {error}"
            return JobState(
                outcome=JobOutcome.FAILED, reason="ConditionUnreadable", message=message
            )
        if matched is not None:
            return JobState(
                outcome=outcome, reason=_text(matched, "reason"), message=_text(matched, "message")
            )
    return JobState(outcome=JobOutcome.RUNNING)


def matching_object(document: JsonObject, expression: str) -> JsonObject | None:
    """Return the object by which a condition holds; None if it does not hold.

    | the expression gives | the condition holds |
    |---|---|
    | an object | by this object |
    | a list whose first item is an object | by this item |
    | an empty list, another value, nothing | no |

    Raises:
        UserError: the expression is not valid.
    """
    result = query(document, expression)
    if isinstance(result, list | tuple):
        result = result[0] if result else MISSING
    return result if isinstance(result, Mapping) else None


def _text(matched: JsonObject, name: str) -> str:
    """Read a field as Go does: the case of its name does not matter, an exact match comes first."""
    named = [key for key in matched if key.casefold() == name]
    exact = sorted(named, key=lambda key: key != name)
    value = matched[exact[0]] if exact else ""
    return value if isinstance(value, str) else ""


def job_document(trial: Trial) -> JsonObject:
    """Return the job to create: `runSpec`, owned by the trial, its pods with the trial's labels.

    The API server sends only pods with these labels to the webhook.
    """
    document: JsonObject = _labelled(trial.spec.run_spec or {}, _labels(trial), _MAX_DEPTH)
    document = _merged_at(document, place_of_pod_labels(document), _labels(trial))
    document = with_pod_labels(document, trial.spec.primary_pod_labels, _labels(trial))
    metadata = dict(mapping_at(document, "metadata"))
    metadata["name"] = trial.metadata.name
    if trial.metadata.namespace:
        metadata["namespace"] = trial.metadata.namespace
    if document.get("kind") == "Pod":
        metadata["labels"] = _merged(metadata.get("labels"), _labels(trial))
    metadata["ownerReferences"] = [
        {
            "apiVersion": API_VERSION,
            "kind": "Trial",
            "name": trial.metadata.name,
            "uid": trial.metadata.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    return {**document, "metadata": metadata}


def _labels(trial: Trial) -> Mapping[str, str]:
    """Return the labels for all pods, without those that select the primary pod."""
    selector = trial.spec.primary_pod_labels
    own = {key: text for key, text in trial.metadata.labels.items() if key not in selector}
    return {**own, TRIAL_LABEL: trial.metadata.name}


def _labelled(document: JsonObject, labels: Mapping[str, str], levels: int) -> dict[str, Json]:
    """Label every pod template: a `template` whose `spec` has `containers`.

    Job, CronJob, JobSet, the replicas of training jobs, the groups of a Ray cluster and similar
    kinds have pod templates of this form; RayJob has also a `submitterPodTemplate`.
    """
    return {key: _with_labels(key, part, labels, levels) for key, part in document.items()}


def _with_labels(key: str, part: Json, labels: Mapping[str, str], levels: int) -> Json:
    if not levels or not isinstance(part, Mapping | list | tuple):
        return part
    if not isinstance(part, Mapping):
        return [_with_labels("", item, labels, levels - 1) for item in part]
    spec = part.get("spec")
    if key.lower().endswith("template") and isinstance(spec, Mapping) and "containers" in spec:
        metadata = dict(mapping_at(part, "metadata"))
        metadata["labels"] = _merged(metadata.get("labels"), labels)
        return {**part, "metadata": metadata}
    return _labelled(part, labels, levels - 1)


def _merged_at(
    document: JsonObject, path: tuple[str, ...], labels: Mapping[str, str]
) -> JsonObject:
    """Add labels to the mapping at a path; an empty path changes nothing."""
    if not path:
        return document
    key, *rest = path
    part: Json = (
        _merged_at(mapping_at(document, key), tuple(rest), labels)
        if rest
        else _merged(document.get(key), labels)
    )
    return {**document, key: part}


def _merged(given: Json, labels: Mapping[str, str]) -> Json:
    """Add labels. The template's own labels win, except for the one that names the trial."""
    return {**labels, **mapping_at(given), TRIAL_LABEL: labels[TRIAL_LABEL]}
