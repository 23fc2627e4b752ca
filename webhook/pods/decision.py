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
from webhook.model.images import ImageCommand, ImageUnknown, ImageWanted
from webhook.model.verdicts import Inject, ReviewFacts, Verdict
from webhook.pods.decide import decide
from webhook.pods.owners import Answer, Wanted, kin_of

Question = Wanted | ImageWanted
Reply = Answer | ImageCommand | ImageUnknown | None
Review = Generator[Question, Reply, Verdict]


def review(pod: JsonObject, request: ReviewFacts, config: Config) -> Review:
    """Judge a pod. Never raises, whatever the pod is."""
    kin = yield from kin_of(pod, request.namespace)
    if kin.refusal is not None:
        return kin.refusal
    request = replace(request, suggestion=kin.suggestion)
    verdict = decide(pod, request, kin.trial, config)
    if isinstance(verdict, Inject) and verdict.plan.image_wanted is not None:
        answer = yield verdict.plan.image_wanted
        request = replace(
            request,
            image_asked=True,
            image=answer if isinstance(answer, ImageCommand) else None,
            image_cause=answer.cause if isinstance(answer, ImageUnknown) else "",
        )
        verdict = decide(pod, request, kin.trial, config)
    return verdict
