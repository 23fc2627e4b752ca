"""Drives a review: gives each question to who can answer it, until there is a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import JsonObject
from kube.cluster import Ref, ref_of, uid_of
from webhook.driver.cluster_lookups import TRIAL, ClusterLookups
from webhook.driver.ports import ImageLookups
from webhook.model.config import Config
from webhook.model.lookups import Answer, ImageLookup, Lookup, ObjectFound, ObjectLookup
from webhook.model.verdicts import PodContext, Verdict
from webhook.pods.decision import decide_on_pod


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictOnPod:
    """A verdict, and the trial that it is about where one was found."""

    verdict: Verdict
    trial: Ref | None = None
    trial_uid: str = ""


class DecisionDriver:
    """Judges pods by what the cluster and the registries say."""

    def __init__(self, lookups: ClusterLookups, images: ImageLookups) -> None:
        self._lookups, self._images = lookups, images

    async def decide(
        self, pod: JsonObject, facts: PodContext, config: Config, deadline: float
    ) -> VerdictOnPod:
        """Judge a pod before the event loop's clock is at the deadline."""
        questions = decide_on_pod(pod, facts, config)
        trial: JsonObject = {}
        reply: Answer = None
        while True:
            try:
                question = questions.send(reply)
            except StopIteration as end:
                return _judgement(end.value, trial)
            reply = await self._reply(question, deadline)
            if _is_trial(question) and isinstance(reply, ObjectFound):
                trial = reply.document

    async def _reply(self, question: Lookup, deadline: float) -> Answer:
        if isinstance(question, ImageLookup):
            return await self._images.command_of(question, deadline)
        return await self._lookups.answer(question, deadline)


def _judgement(verdict: Verdict, trial: JsonObject) -> VerdictOnPod:
    about = ref_of(trial) if trial else None
    return VerdictOnPod(verdict=verdict, trial=about, trial_uid=uid_of(trial))


def _is_trial(question: Lookup) -> bool:
    return (
        isinstance(question, ObjectLookup)
        and question.kind == TRIAL.kind
        and question.api_version == TRIAL.api_version
    )
