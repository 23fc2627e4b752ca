"""A trial's pod, changed by the webhook's own review; who would be asked in a cluster is here."""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import UserError
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
class Family:
    """The objects that a pod belongs to."""

    trial: Trial
    job: JsonObject
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A pod as it is created."""

    pod: JsonObject
    collects: bool
    """Whether a collector was put beside the trainer."""


def inject(pod: JsonObject, family: Family, config: Config) -> Injected:
    """Do what the API server and the webhook do when a pod is created.

    Raises:
        UserError: the webhook refuses the pod; says why.
    """
    facts = PodContext(namespace=family.trial.metadata.namespace, name=family.trial.metadata.name)
    verdict = _driven(decide_on_pod(pod, facts, config), family)
    if isinstance(verdict, Refuse):
        raise UserError(str(verdict))
    if not isinstance(verdict, Inject):
        return Injected(pod=pod, collects=False)
    collects = verdict.plan.collector is not None
    return Injected(pod=mutate(pod, verdict.plan), collects=collects)


def _driven(questions: PodDecision, family: Family) -> Verdict:
    try:
        question = next(questions)
        while True:
            question = questions.send(_answer(question, family))
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict


def _answer(question: Lookup, family: Family) -> Answer:
    """Answer from what is here; an image is not, and its registry is not asked."""
    return _object(question, family) if isinstance(question, ObjectLookup) else None


def _object(wanted: ObjectLookup, family: Family) -> ObjectAnswer:
    trial, suggestion = family.trial, family.suggestion
    match wanted.kind:
        case "Trial" if wanted.name == trial.metadata.name:
            return ObjectFound(render_trial(trial))
        case "Suggestion" if suggestion and wanted.name == suggestion.metadata.name:
            return ObjectFound(render_suggestion(suggestion))
        case kind if kind == family.job.get("kind"):
            return ObjectFound(family.job)
        case _:
            return ObjectAbsent()
