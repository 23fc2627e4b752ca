"""The requests to the search and its replies, as the object `Suggestion` stores them.

A reply is stored, with a name for each trial, before a trial is created from it. So a crash loses
no trial and creates none twice. When a trial exists, its entry is removed: the object stays small
however long the search runs. `suggestionCount` only grows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime

from api.names import AUTHOR_ANNOTATION, NUMBER_LABEL
from api.objects.metadata import API_VERSION
from api.types import (
    AlgorithmSpec,
    Condition,
    ConditionStatus,
    ConditionType,
    Experiment,
    ObjectMeta,
    OwnerReference,
    ResumePolicy,
    Setting,
    SuggestedTrial,
    Suggestion,
    SuggestionSpec,
    holds,
)
from controller.reconcile.conditions import (
    Conditions,
    ReasonAndMessage,
    find_condition,
    with_condition,
    without_conditions,
)
from controller.reconcile.times import format_time
from controller.reconcile.views import SuggestionReply

EXHAUSTED = "Exhausted"
"""The condition of a search that has no more points. It is ours: Katib has no such condition."""
STALLED = "Stalled"
"""The condition of a search that did not answer. It is ours, named as in Kubernetes' kstatus."""
_GONE = ("Suggestion is succeeded", "Suggestion is failed")
"""Reasons of DeploymentReady, False, after the deployed service was removed."""
_RESTARTING = "Experiment is restarting"
_NOT_RUNNING = "Suggestion is not running"
NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of random names: no vowels, so no words; no letters that look alike."""
NAME_LENGTH = 8


def suggestion_of(experiment: Experiment) -> Suggestion:
    """Return the Suggestion of an experiment, as it is created."""
    meta, spec = experiment.metadata, experiment.spec
    return Suggestion(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels=meta.labels,
            annotations={
                name: text for name, text in meta.annotations.items() if name != AUTHOR_ANNOTATION
            },
            owner_references=(owner_of(experiment),),
        ),
        spec=SuggestionSpec(
            algorithm=spec.algorithm,
            early_stopping=spec.early_stopping,
            resume_policy=spec.resume_policy,
        ),
    )


def owner_of(experiment: Experiment) -> OwnerReference:
    """Return the reference by which an experiment owns its objects."""
    return OwnerReference(
        api_version=API_VERSION,
        kind="Experiment",
        name=experiment.metadata.name,
        uid=experiment.metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )


def with_settings(experiment: Experiment, suggestion: Suggestion) -> Experiment:
    """Return the experiment with the settings that the search returned earlier."""
    algorithm = experiment.spec.algorithm or AlgorithmSpec()
    by_name = {
        setting.name: setting for setting in (*algorithm.settings, *suggestion.status.settings)
    }
    extended = replace(algorithm, settings=tuple(by_name.values()))
    return replace(experiment, spec=replace(experiment.spec, algorithm=extended))


def with_requests(suggestion: Suggestion, count: int) -> Suggestion:
    """Add to the number of trials that were requested."""
    requests = suggestion.status.suggestion_count + count
    return replace(suggestion, spec=replace(suggestion.spec, requests=requests))


def with_reply(
    suggestion: Suggestion,
    reply: SuggestionReply,
    count: int,
    draw: Callable[[], str],
    now: datetime,
) -> Suggestion:
    """Store a reply; `draw` returns random names that no trial has."""
    status = suggestion.status
    used = {entry.name for entry in status.suggestions}
    new: list[SuggestedTrial] = []
    for number, trial in enumerate(reply.trials[:count], status.suggestion_count):
        name = trial.name or next(name for name in iter(draw, None) if name not in used)
        used.add(name)
        labels = {**trial.labels, NUMBER_LABEL: str(number)}
        new.append(replace(trial, name=name, labels=labels))
    conditions = _with_created(suggestion, now)
    running = ("SuggestionRunning", "Suggestion is running")
    conditions = without_conditions(conditions, ConditionType.SUCCEEDED, STALLED)
    conditions = with_condition(conditions, ConditionType.RUNNING, running, now)
    if len(new) < count and reply.final:
        reason_and_message = ("SuggestionEndReached", "The search has no more points")
        conditions = with_condition(conditions, EXHAUSTED, reason_and_message, now)
    status = replace(
        status,
        settings=_merged(status.settings, reply.settings),
        suggestion_count=status.suggestion_count + len(new),
        suggestions=(*status.suggestions, *new),
        start_time=status.start_time or format_time(now),
        conditions=conditions,
    )
    return replace(suggestion, status=status)


def mark_failed(suggestion: Suggestion, cause: str, now: datetime) -> Suggestion:
    """Record that the search refuses the experiment."""
    conditions = without_conditions(_with_created(suggestion, now), STALLED)
    conditions = _not_running(conditions, "SuggestionFailed", now)
    message = f"Validation failed: {cause}"
    conditions = with_condition(
        conditions, ConditionType.FAILED, ("SuggestionFailed", message), now
    )
    return _with(suggestion, conditions, now)


def mark_finished(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that the experiment has ended. A Suggestion that has failed stays as it is."""
    conditions = suggestion.status.conditions
    if holds(conditions, ConditionType.SUCCEEDED) or holds(conditions, ConditionType.FAILED):
        return suggestion
    message = "Suggestion is succeeded, can't be restarted"
    if suggestion.spec.resume_policy is ResumePolicy.FROM_VOLUME:
        message = "Suggestion is succeeded, suggestion volume is not deleted, can be restarted"
    conditions = without_conditions(_with_created(suggestion, now), STALLED)
    conditions = _not_running(conditions, "Suggestion is succeeded", now)
    conditions = with_condition(
        conditions, ConditionType.SUCCEEDED, ("Experiment is succeeded", message), now
    )
    return _with(suggestion, conditions, now)


def mark_restarting(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that the experiment continues. A Suggestion that has not succeeded stays as it is."""
    if not holds(suggestion.status.conditions, ConditionType.SUCCEEDED):
        return suggestion
    conditions = without_conditions(suggestion.status.conditions, ConditionType.SUCCEEDED)
    # Removed first: the reason must become that of the restart, even if Running is False already.
    conditions = without_conditions(conditions, ConditionType.RUNNING)
    conditions = with_condition(
        conditions,
        ConditionType.RUNNING,
        (_RESTARTING, _NOT_RUNNING),
        now,
        status=ConditionStatus.FALSE,
    )
    status = replace(suggestion.status, conditions=conditions, completion_time=None)
    return replace(suggestion, status=status)


def mark_stalled(suggestion: Suggestion, cause: str, now: datetime) -> Suggestion:
    """Record that the search did not answer and will be called again."""
    message = f"The search did not answer and will be called again: {cause}"
    reason_and_message = ("SearchNotAnswering", message)
    conditions = with_condition(_with_created(suggestion, now), STALLED, reason_and_message, now)
    # The cause may be another one by now: show the newest.
    updated = (
        replace(condition, message=message, last_update_time=format_time(now))
        if condition.type == STALLED and condition.message != message
        else condition
        for condition in conditions
    )
    return _with_conditions(suggestion, tuple(updated), now)


# -- its deployed service -------------------------------------------------------------------


def mark_deploying(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that a service is deployed and does not serve yet, or does not serve any more."""
    reason_and_message = ("DeploymentNotReady", "Deployment is not ready")
    return _with_deployment(suggestion, reason_and_message, ConditionStatus.FALSE, now)


def mark_deployment_ready(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that the service serves."""
    reason_and_message = ("DeploymentReady", "Deployment is ready")
    return _with_deployment(suggestion, reason_and_message, ConditionStatus.TRUE, now)


def mark_removed(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that the service is removed."""
    succeeded, failure = _GONE
    reason = failure if failure_of(suggestion) else succeeded
    reason_and_message = (reason, "Deployment is not ready")
    return _with_deployment(suggestion, reason_and_message, ConditionStatus.FALSE, now)


def is_deployed(suggestion: Suggestion) -> bool:
    """Return whether a service may exist, so that it must be removed in the end."""
    ready = find_condition(suggestion.status.conditions, ConditionType.DEPLOYMENT_READY)
    return ready is not None and ready.reason not in _GONE


# -- entries and conditions -----------------------------------------------------------------


def without_entries(suggestion: Suggestion, names: Collection[str]) -> Suggestion:
    """Drop the entries of trials that exist."""
    entries = suggestion.status.suggestions
    left = tuple(entry for entry in entries if entry.name not in names)
    if len(left) == len(entries):
        return suggestion
    return replace(suggestion, status=replace(suggestion.status, suggestions=left))


def failure_of(suggestion: Suggestion) -> Condition | None:
    """Return why the search has failed; None if it has not."""
    failure = find_condition(suggestion.status.conditions, ConditionType.FAILED)
    return failure if failure and failure.status is ConditionStatus.TRUE else None


def is_exhausted(suggestion: Suggestion) -> bool:
    """Return whether the search has no more points, now and later."""
    return holds(suggestion.status.conditions, EXHAUSTED)


def _with_deployment(
    suggestion: Suggestion,
    reason_and_message: ReasonAndMessage,
    status: ConditionStatus,
    now: datetime,
) -> Suggestion:
    kind = ConditionType.DEPLOYMENT_READY
    conditions = with_condition(
        _with_created(suggestion, now), kind, reason_and_message, now, status=status
    )
    return _with_conditions(suggestion, conditions, now)


def _with_conditions(suggestion: Suggestion, conditions: Conditions, now: datetime) -> Suggestion:
    status = suggestion.status
    start = status.start_time or format_time(now)
    return replace(suggestion, status=replace(status, conditions=conditions, start_time=start))


def _with_created(suggestion: Suggestion, now: datetime) -> Conditions:
    reason_and_message = ("SuggestionCreated", "Suggestion is created")
    return with_condition(
        suggestion.status.conditions, ConditionType.CREATED, reason_and_message, now
    )


def _not_running(conditions: Conditions, reason: str, now: datetime) -> Conditions:
    if find_condition(conditions, ConditionType.RUNNING) is None:
        return conditions
    return with_condition(
        conditions,
        ConditionType.RUNNING,
        (reason, _NOT_RUNNING),
        now,
        status=ConditionStatus.FALSE,
    )


def _with(suggestion: Suggestion, conditions: Conditions, now: datetime) -> Suggestion:
    start = suggestion.status.start_time or format_time(now)
    status = replace(
        suggestion.status, conditions=conditions, start_time=start, completion_time=format_time(now)
    )
    return replace(suggestion, status=status)


def _merged(known: Iterable[Setting], new: Iterable[Setting]) -> tuple[Setting, ...]:
    return tuple({setting.name: setting for setting in (*known, *new)}.values())
