"""The decision about a pod: a generator that yields look-ups, receives answers, returns a verdict.

    decision = decide_on_pod(pod, context, config)
    lookup = next(decision)              # an ObjectLookup or an ImageLookup
    lookup = decision.send(answer)       # ObjectFound, ..., ImageCommand, ImageUnknown
    ...                                  # StopIteration.value is the verdict

It fetches nothing. Time limits, retries and caches are the driver's: `webhook.driver` in a cluster,
`runner.jobs.injection` on one machine. `trialwatch inject` needs no look-ups and calls `decide`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from api.errors import SpecError
from api.types import JsonObject
from webhook.model.config import Config
from webhook.model.images import ImageCommand
from webhook.model.lookups import Answer, ImageUnknown, Lookup
from webhook.model.pods import read_metadata
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, PodContext, PodRefused, Refuse, Skip, Verdict
from webhook.pods.decide import asks_for_collection, decide
from webhook.pods.owners import OwningTrial, find_owning_trial

PodDecision = Generator[Lookup, Answer, Verdict]


def decide_on_pod(pod: JsonObject, context: PodContext, config: Config) -> PodDecision:
    """Decide on a pod. Never raises, whatever the pod contains."""
    try:
        metadata = read_metadata(pod)
        owning = yield from find_owning_trial(metadata, context.namespace)
        # Most pods of a cluster end here, so this reads nothing but their metadata, and only once.
        if owning.trial is None and not asks_for_collection(metadata):
            return _skip(owning)
    except PodRefused as refused:
        return refused.refusal
    except SpecError as error:
        return Refuse(Reason.POD_UNREADABLE, str(error))
    context = replace(context, suggestion=owning.suggestion)
    verdict = decide(pod, context, owning.trial, config)
    if isinstance(verdict, Inject) and verdict.plan.image_lookup is not None:
        answer = yield verdict.plan.image_lookup
        context = replace(
            context,
            image_asked=True,
            image=answer if isinstance(answer, ImageCommand) else None,
            image_cause=answer.cause if isinstance(answer, ImageUnknown) else "",
        )
        verdict = decide(pod, context, owning.trial, config)
    return verdict


def _skip(owning: OwningTrial) -> Skip:
    if owning.unknown:
        return Skip(Reason.OWNER_UNKNOWN, owning.unknown)
    return Skip(Reason.NOBODYS_TRIAL)
