"""A trial's job: the document that is created, and what its status says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from api.errors import UserError
from api.gjson import MISSING, query
from api.names import TRIAL_LABEL
from api.objects.metadata import API_VERSION
from api.types import Json, JsonObject, Trial

_MOST_LEVELS = 20


class JobOutcome(StrEnum):
    """How far a job has come."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """What a job's status says, with its own words."""

    outcome: JobOutcome
    reason: str = ""
    message: str = ""


def state_of_job(trial: Trial, document: JsonObject) -> JobState:
    """Judge a job by the trial's two conditions, failure before success.

    A condition that cannot be read is a failure, for with it no trial could ever end.
    """
    conditions = (
        (JobOutcome.FAILED, "failureCondition", trial.spec.failure_condition),
        (JobOutcome.SUCCEEDED, "successCondition", trial.spec.success_condition),
    )
    for outcome, field, expression in conditions:
        if not expression:
            continue
        try:
            found = matching_object(document, expression)
        except UserError as error:
            why = f"spec.{field} cannot be read: {error}"
            return JobState(outcome=JobOutcome.FAILED, reason="ConditionUnreadable", message=why)
        if found is not None:
            return JobState(
                outcome=outcome, reason=_text(found, "reason"), message=_text(found, "message")
            )
    return JobState(outcome=JobOutcome.RUNNING)


def matching_object(document: JsonObject, expression: str) -> JsonObject | None:
    """Return the object by which a condition holds, None where it does not.

    | the expression gives | it holds |
    |---|---|
    | an object | by this object |
    | a list whose first item is an object | by this item |
    | an empty list, any other value, nothing | not |

    Raises:
        UserError: the expression cannot be read.
    """
    found = query(document, expression)
    if isinstance(found, list | tuple):
        found = found[0] if found else MISSING
    return found if isinstance(found, Mapping) else None


def _text(found: JsonObject, name: str) -> str:
    """Read a field as Go does: its name in any case, the exact one first."""
    named = [key for key in found if key.casefold() == name]
    exact = sorted(named, key=lambda key: key != name)
    value = found[exact[0]] if exact else ""
    return value if isinstance(value, str) else ""


def job_document(trial: Trial) -> JsonObject:
    """Return the job to be created: `runSpec`, owned by the trial, its pods labelled like it.

    Without the labels the API server would not show the pods to the webhook.
    """
    document = _labelled(trial.spec.run_spec or {}, _labels(trial), _MOST_LEVELS)
    given = document.get("metadata")
    metadata = dict(given) if isinstance(given, Mapping) else {}
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
    """Leave out what tells the primary pod from the others: with it each would pass for it."""
    telling = trial.spec.primary_pod_labels
    own = {key: text for key, text in trial.metadata.labels.items() if key not in telling}
    return {**own, TRIAL_LABEL: trial.metadata.name}


def _labelled(document: JsonObject, labels: Mapping[str, str], levels: int) -> dict[str, Json]:
    """Label every pod template: a `template` whose `spec` has `containers`.

    So they are named in Job, CronJob, JobSet, in the replicas of training jobs, and in whatever
    other kinds are made like these.
    """
    return {key: _with_labels(key, part, labels, levels) for key, part in document.items()}


def _with_labels(key: str, part: Json, labels: Mapping[str, str], levels: int) -> Json:
    if not levels or not isinstance(part, Mapping | list | tuple):
        return part
    if not isinstance(part, Mapping):
        return [_with_labels("", item, labels, levels - 1) for item in part]
    spec = part.get("spec")
    if key == "template" and isinstance(spec, Mapping) and "containers" in spec:
        given = part.get("metadata")
        metadata = dict(given) if isinstance(given, Mapping) else {}
        metadata["labels"] = _merged(metadata.get("labels"), labels)
        return {**part, "metadata": metadata}
    return _labelled(part, labels, levels - 1)


def _merged(given: Json, labels: Mapping[str, str]) -> Json:
    """Add labels; those that the template has itself stay, but for the one that names the trial."""
    own = given if isinstance(given, Mapping) else {}
    return {**labels, **own, TRIAL_LABEL: labels[TRIAL_LABEL]}
