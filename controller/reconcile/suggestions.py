"""The conversation with the search, as it is kept in the object `Suggestion`.

An answer is written down, with a name for each trial, before any trial is made of it; so a crash
at any moment neither loses one nor makes one twice. When the trial is there, its entry is dropped:
the object stays small however long the search goes on. `suggestionCount` only grows.
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
"""The condition of a search that has no more points. It is ours; Katib has none for that."""
STALLED = "Stalled"
"""The condition of a search that did not answer; it is ours, by the word of Kubernetes' kstatus."""
_GONE = ("Suggestion is succeeded", "Suggestion is failed")
"""Reasons of DeploymentReady, False: what was deployed is taken away."""
_RESTARTING = "Experiment is restarting"
_NOT_RUNNING = "Suggestion is not running"
NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What random names are made of: no vowels, so no words; nothing that looks like another."""
NAME_LENGTH = 8


def suggestion_of(experiment: Experiment) -> Suggestion:
    """Make the object in which an experiment's conversation is kept."""
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
    """Return the reference by which an experiment owns what is made for it."""
    return OwnerReference(
        api_version=API_VERSION,
        kind="Experiment",
        name=experiment.metadata.name,
        uid=experiment.metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )


def with_settings(experiment: Experiment, suggestion: Suggestion) -> Experiment:
    """Return the experiment with the settings that the search wants to be reminded of."""
    algorithm = experiment.spec.algorithm or AlgorithmSpec()
    known = {s.name: s for s in (*algorithm.settings, *suggestion.status.settings)}
    told = replace(algorithm, settings=tuple(known.values()))
    return replace(experiment, spec=replace(experiment.spec, algorithm=told))


def with_requests(suggestion: Suggestion, count: int) -> Suggestion:
    """Note how many will have been asked for in all."""
    requests = suggestion.status.suggestion_count + count
    return replace(suggestion, spec=replace(suggestion.spec, requests=requests))


def with_reply(
    suggestion: Suggestion,
    answer: SuggestionReply,
    count: int,
    draw: Callable[[], str],
    now: datetime,
) -> Suggestion:
    """Write an answer down; `draw` gives random names, none of them that of a trial."""
    status = suggestion.status
    used = {entry.name for entry in status.suggestions}
    new: list[SuggestedTrial] = []
    for number, trial in enumerate(answer.trials[:count], status.suggestion_count):
        name = trial.name or next(name for name in iter(draw, None) if name not in used)
        used.add(name)
        labels = {**trial.labels, NUMBER_LABEL: str(number)}
        new.append(replace(trial, name=name, labels=labels))
    conditions = _begun(suggestion, now)
    running = ("SuggestionRunning", "Suggestion is running")
    conditions = without_conditions(conditions, ConditionType.SUCCEEDED, STALLED)
    conditions = with_condition(conditions, ConditionType.RUNNING, running, now)
    if len(new) < count and answer.final:
        words = ("SuggestionEndReached", "The search has no more points")
        conditions = with_condition(conditions, EXHAUSTED, words, now)
    status = replace(
        status,
        settings=_merged(status.settings, answer.settings),
        suggestion_count=status.suggestion_count + len(new),
        suggestions=(*status.suggestions, *new),
        start_time=status.start_time or format_time(now),
        conditions=conditions,
    )
    return replace(suggestion, status=status)


def mark_failed(suggestion: Suggestion, why: str, now: datetime) -> Suggestion:
    """Note that the experiment cannot be searched."""
    conditions = without_conditions(_begun(suggestion, now), STALLED)
    conditions = _not_running(conditions, "SuggestionFailed", now)
    message = f"Validation failed: {why}"
    conditions = with_condition(
        conditions, ConditionType.FAILED, ("SuggestionFailed", message), now
    )
    return _with(suggestion, conditions, now)


def mark_finished(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Note that the experiment has ended; one that has failed stays as it is."""
    conditions = suggestion.status.conditions
    if holds(conditions, ConditionType.SUCCEEDED) or holds(conditions, ConditionType.FAILED):
        return suggestion
    message = "Suggestion is succeeded, can't be restarted"
    if suggestion.spec.resume_policy is ResumePolicy.FROM_VOLUME:
        message = "Suggestion is succeeded, suggestion volume is not deleted, can be restarted"
    conditions = without_conditions(_begun(suggestion, now), STALLED)
    conditions = _not_running(conditions, "Suggestion is succeeded", now)
    conditions = with_condition(
        conditions, ConditionType.SUCCEEDED, ("Experiment is succeeded", message), now
    )
    return _with(suggestion, conditions, now)


def mark_restarting(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Note that the experiment goes on; one that has not succeeded stays as it is."""
    if not holds(suggestion.status.conditions, ConditionType.SUCCEEDED):
        return suggestion
    conditions = without_conditions(suggestion.status.conditions, ConditionType.SUCCEEDED)
    # Without what was there: the reason must become that of the restart, be it False already.
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


def mark_stalled(suggestion: Suggestion, why: str, now: datetime) -> Suggestion:
    """Note that the search did not answer, and will be asked again."""
    message = f"The search is asked again; it did not answer: {why}"
    words = ("SearchNotAnswering", message)
    conditions = with_condition(_begun(suggestion, now), STALLED, words, now)
    # It may not answer for another cause by now, and that one is to be seen.
    told = (
        replace(one, message=message, last_update_time=format_time(now))
        if one.type == STALLED and one.message != message
        else one
        for one in conditions
    )
    return _with_conditions(suggestion, tuple(told), now)


# -- a service that is deployed for it ------------------------------------------------------


def mark_deploying(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Note that a service is deployed for it, and does not serve yet, or not any more."""
    words = ("DeploymentNotReady", "Deployment is not ready")
    return _with_deployment(suggestion, words, ConditionStatus.FALSE, now)


def mark_deployment_ready(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Note that the service serves."""
    words = ("DeploymentReady", "Deployment is ready")
    return _with_deployment(suggestion, words, ConditionStatus.TRUE, now)


def mark_removed(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Note that the service is taken away."""
    succeeded, failure = _GONE
    reason = failure if failure_of(suggestion) else succeeded
    words = (reason, "Deployment is not ready")
    return _with_deployment(suggestion, words, ConditionStatus.FALSE, now)


def is_deployed(suggestion: Suggestion) -> bool:
    """Say whether a service may be there, so that it has to be taken away in the end."""
    ready = find_condition(suggestion.status.conditions, ConditionType.DEPLOYMENT_READY)
    return ready is not None and ready.reason not in _GONE


# -- what is kept, and what is known --------------------------------------------------------


def without_entries(suggestion: Suggestion, names: Collection[str]) -> Suggestion:
    """Drop the entries of trials that are there."""
    entries = suggestion.status.suggestions
    left = tuple(entry for entry in entries if entry.name not in names)
    if len(left) == len(entries):
        return suggestion
    return replace(suggestion, status=replace(suggestion.status, suggestions=left))


def failure_of(suggestion: Suggestion) -> Condition | None:
    """Return why the search has failed; None where it has not."""
    failure = find_condition(suggestion.status.conditions, ConditionType.FAILED)
    return failure if failure and failure.status is ConditionStatus.TRUE else None


def is_exhausted(suggestion: Suggestion) -> bool:
    """Say whether the search has no more points, now and later."""
    return holds(suggestion.status.conditions, EXHAUSTED)


def _with_deployment(
    suggestion: Suggestion, words: ReasonAndMessage, status: ConditionStatus, now: datetime
) -> Suggestion:
    kind = ConditionType.DEPLOYMENT_READY
    conditions = with_condition(_begun(suggestion, now), kind, words, now, status=status)
    return _with_conditions(suggestion, conditions, now)


def _with_conditions(suggestion: Suggestion, conditions: Conditions, now: datetime) -> Suggestion:
    status = suggestion.status
    start = status.start_time or format_time(now)
    return replace(suggestion, status=replace(status, conditions=conditions, start_time=start))


def _begun(suggestion: Suggestion, now: datetime) -> Conditions:
    words = ("SuggestionCreated", "Suggestion is created")
    return with_condition(suggestion.status.conditions, ConditionType.CREATED, words, now)


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
