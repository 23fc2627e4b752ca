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
    Experiment,
    ObjectMeta,
    OwnerReference,
    Setting,
    SuggestedTrial,
    Suggestion,
    SuggestionSpec,
    Trial,
)
from controller.reconcile.suggestion_conditions import conditions_after_reply
from controller.reconcile.times import format_time
from controller.reconcile.views import SuggestionReply

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
    end_reached = len(new) < count and reply.final
    settings = _merged(status.settings, reply.settings)
    status = replace(
        status,
        settings=settings,
        suggestion_count=status.suggestion_count + len(new),
        suggestions=(*status.suggestions, *new),
        start_time=status.start_time or format_time(now),
        conditions=conditions_after_reply(suggestion, now, final=end_reached, note=_note(settings)),
    )
    return replace(suggestion, status=status)


def without_entries(suggestion: Suggestion, names: Collection[str]) -> Suggestion:
    """Drop the entries of trials that exist."""
    entries = suggestion.status.suggestions
    left = tuple(entry for entry in entries if entry.name not in names)
    if len(left) == len(entries):
        return suggestion
    return replace(suggestion, status=replace(suggestion.status, suggestions=left))


def entry_of(trial: Trial) -> SuggestedTrial:
    """Return the entry from which a trial was created."""
    return SuggestedTrial(
        name=trial.metadata.name,
        assignments=trial.spec.assignments,
        stop_rules=trial.spec.stop_rules,
        labels=trial.spec.labels,
    )


def _note(settings: Iterable[Setting]) -> str:
    """Return which search `auto` has chosen, and why; "" of any other search."""
    values = {setting.name: setting.value for setting in settings}
    if "chosen" not in values:
        return ""
    return f"auto chose {values['chosen']}: {values.get('reason', '')}"


def _merged(known: Iterable[Setting], new: Iterable[Setting]) -> tuple[Setting, ...]:
    return tuple({setting.name: setting for setting in (*known, *new)}.values())
