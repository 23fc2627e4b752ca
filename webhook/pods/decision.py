"""A whole review: from the pod that is to be created to the verdict, asking for what it needs.

    questions = review(pod, facts, config)
    question = next(questions)              # Wanted: an object; ImageWanted: an image's command
    question = questions.send(answer)       # Found, Absent, Failed; ImageCommand, ImageUnknown
    ...                                     # StopIteration.value is the verdict

Nothing is fetched here, so whoever drives it decides on time limits, retries and caches, and
`trialwatch inject` is the same review with other answers.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from api.types import JsonObject
from webhook.model.config import Config
from webhook.model.images import ImageCommand
from webhook.model.lookups import Answer, ImageUnknown, Lookup
from webhook.model.verdicts import Inject, PodContext, Verdict
from webhook.pods.decide import decide
from webhook.pods.owners import find_owning_trial

PodDecision = Generator[Lookup, Answer, Verdict]


def decide_on_pod(pod: JsonObject, context: PodContext, config: Config) -> PodDecision:
    """Judge a pod. Never raises, whatever the pod is."""
    kin = yield from find_owning_trial(pod, context.namespace)
    if kin.refusal is not None:
        return kin.refusal
    context = replace(context, suggestion=kin.suggestion)
    verdict = decide(pod, context, kin.trial, config)
    if isinstance(verdict, Inject) and verdict.plan.image_lookup is not None:
        answer = yield verdict.plan.image_lookup
        context = replace(
            context,
            image_asked=True,
            image=answer if isinstance(answer, ImageCommand) else None,
            image_cause=answer.cause if isinstance(answer, ImageUnknown) else "",
        )
        verdict = decide(pod, context, kin.trial, config)
    return verdict
