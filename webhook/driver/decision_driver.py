"""Drives a review: gives each question to who can answer it, until there is a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import JsonObject
from kube.cluster import Ref, ref_of, uid_of
from webhook.driver.lookups import TRIAL, LookUps
from webhook.driver.ports import Images
from webhook.model.config import Config
from webhook.model.images import ImageWanted
from webhook.model.verdicts import ReviewFacts, Verdict
from webhook.pods.decision import Question, Reply, review
from webhook.pods.owners import Found, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict, and the trial that it is about where one was found."""

    verdict: Verdict
    trial: Ref | None = None
    trial_uid: str = ""


class Judge:
    """Judges pods by what the cluster and the registries say."""

    def __init__(self, lookups: LookUps, images: Images) -> None:
        self._lookups, self._images = lookups, images

    async def judge(
        self, pod: JsonObject, facts: ReviewFacts, config: Config, deadline: float
    ) -> Judgement:
        """Judge a pod before the event loop's clock is at the deadline."""
        questions = review(pod, facts, config)
        trial: JsonObject = {}
        reply: Reply = None
        while True:
            try:
                question = questions.send(reply)
            except StopIteration as end:
                return _judgement(end.value, trial)
            reply = await self._reply(question, deadline)
            if _is_trial(question) and isinstance(reply, Found):
                trial = reply.document

    async def _reply(self, question: Question, deadline: float) -> Reply:
        if isinstance(question, ImageWanted):
            return await self._images.command_of(question, deadline)
        return await self._lookups.answer(question, deadline)


def _judgement(verdict: Verdict, trial: JsonObject) -> Judgement:
    about = ref_of(trial) if trial else None
    return Judgement(verdict=verdict, trial=about, trial_uid=uid_of(trial))


def _is_trial(question: Question) -> bool:
    return (
        isinstance(question, Wanted)
        and question.kind == TRIAL.kind
        and question.api_version == TRIAL.api_version
    )
