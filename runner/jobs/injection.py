"""Injects the collector into a trial's pod: the webhook's own decision, without a cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from api.errors import UserError
from api.names import SUGGESTION_VOLUME
from api.objects.suggestions import render_suggestion
from api.objects.trials import render_trial
from api.types import JsonObject, Suggestion, Trial
from webhook.model.config import Config
from webhook.model.lookups import (
    Answer,
    Lookup,
    ObjectAbsent,
    ObjectAnswer,
    ObjectFound,
    ObjectLookup,
)
from webhook.model.verdicts import Inject, PodContext, Refuse, Verdict
from webhook.pods.decision import PodDecision, decide_on_pod
from webhook.pods.mutate import mutate


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialObjects:
    """The objects of one trial: its Trial, job and Suggestion."""

    trial: Trial
    job: JsonObject
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A pod after the webhook has changed it."""

    pod: JsonObject
    collects: bool
    """Whether the pod has a collector."""


def inject(
    pod: JsonObject, family: TrialObjects, config: Config, checkpoints: Path | None = None
) -> Injected:
    """Change a pod as the webhook does when the API server creates it.

    The volume of checkpoints, a claim in a cluster, is the directory `checkpoints` here, if given.

    Raises:
        UserError: the webhook would refuse the pod; says why.
    """
    context = PodContext(namespace=family.trial.metadata.namespace, name=family.trial.metadata.name)
    verdict = _drive(decide_on_pod(pod, context, config), family)
    if isinstance(verdict, Refuse):
        raise UserError(str(verdict))
    if not isinstance(verdict, Inject):
        return Injected(pod=pod, collects=False)
    plan = verdict.plan
    collects = (plan.collector or plan.custom) is not None
    if checkpoints is not None:
        plan = replace(plan, volumes=tuple(_here(one, checkpoints) for one in plan.volumes))
    return Injected(pod=mutate(pod, plan), collects=collects)


def _here(volume: JsonObject, checkpoints: Path) -> JsonObject:
    if volume.get("name") != SUGGESTION_VOLUME:
        return volume
    path: JsonObject = {"path": str(checkpoints.absolute())}
    return {"name": SUGGESTION_VOLUME, "hostPath": path}


def _drive(decision: PodDecision, family: TrialObjects) -> Verdict:
    try:
        lookup = next(decision)
        while True:
            lookup = decision.send(_answer(lookup, family))
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict


def _answer(lookup: Lookup, family: TrialObjects) -> Answer:
    """Answer look-ups of objects from the trial's own objects; look up no image."""
    return _object(lookup, family) if isinstance(lookup, ObjectLookup) else None


def _object(lookup: ObjectLookup, family: TrialObjects) -> ObjectAnswer:
    trial, suggestion = family.trial, family.suggestion
    match lookup.kind:
        case "Trial" if lookup.name == trial.metadata.name:
            return ObjectFound(render_trial(trial))
        case "Suggestion" if suggestion and lookup.name == suggestion.metadata.name:
            return ObjectFound(render_suggestion(suggestion))
        case kind if kind == family.job.get("kind"):
            return ObjectFound(family.job)
        case _:
            return ObjectAbsent()
