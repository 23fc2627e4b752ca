"""Drives a decision: answers its look-ups from the cluster and the registries until it ends."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from api.documents import text_at
from api.names import TRIAL_LABEL
from api.types import JsonObject
from kube.cluster import Ref, ref_of, uid_of
from webhook.driver.cluster_lookups import TRIAL, ClusterLookups
from webhook.driver.cluster_rights import ClusterRights
from webhook.driver.ports import ImageLookups
from webhook.experiments.authors import AuthorVerdict, RightAnswer, RightLookup
from webhook.experiments.decision import ExperimentVerdict, decide_on_experiment
from webhook.experiments.request import ExperimentRequest
from webhook.model.config import Config
from webhook.model.lookups import (
    Answer,
    ImageLookup,
    Lookup,
    ObjectAnswer,
    ObjectFound,
    ObjectLookup,
)
from webhook.model.verdicts import PodContext, Refuse, Verdict
from webhook.pods.decision import decide_on_pod


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictOnPod:
    """A verdict, and the trial of the pod if one was found."""

    verdict: Verdict
    trial: Ref | None = None
    trial_uid: str = ""


class DecisionDriver:
    """Decides on pods, with look-ups in the cluster and at registries."""

    def __init__(self, lookups: ClusterLookups, images: ImageLookups) -> None:
        self._lookups, self._images = lookups, images

    async def decide(
        self, pod: JsonObject, context: PodContext, config: Config, deadline: float
    ) -> VerdictOnPod:
        """Decide on a pod before the event loop's clock reaches the deadline."""
        decision = decide_on_pod(pod, context, config)
        trial: JsonObject = {}
        answer: Answer = None
        while True:
            try:
                lookup = decision.send(answer)
            except StopIteration as end:
                trial = trial or await self._labelled_trial(pod, context, end.value, deadline)
                return _with_trial(end.value, trial)
            answer = await self._answer(lookup, deadline)
            if _is_trial(lookup) and isinstance(answer, ObjectFound):
                trial = answer.document

    async def _labelled_trial(
        self, pod: JsonObject, context: PodContext, verdict: Verdict, deadline: float
    ) -> JsonObject:
        """Return the Trial that a refused pod's label names; {} without one.

        The decision may end before it looks up this Trial. Its users look there for the cause.
        """
        name = text_at(pod, "metadata", "labels", TRIAL_LABEL)
        if not name or not isinstance(verdict, Refuse):
            return {}
        lookup = ObjectLookup(
            api_version=TRIAL.api_version, kind=TRIAL.kind, namespace=context.namespace, name=name
        )
        answer = await self._lookups.answer(lookup, deadline)
        return answer.document if isinstance(answer, ObjectFound) else {}

    async def _answer(self, lookup: Lookup, deadline: float) -> Answer:
        if isinstance(lookup, ImageLookup):
            return await self._images.command_of(lookup, deadline)
        return await self._lookups.answer(lookup, deadline)


async def decide_experiment(
    request: ExperimentRequest,
    config: Config,
    lookups: ClusterLookups,
    rights: ClusterRights,
    deadline: float,
) -> ExperimentVerdict:
    """Decide on an experiment before the event loop's clock reaches the deadline.

    Raises:
        RecursionError: the document is nested too deeply.
    """
    decision = decide_on_experiment(request, config)
    answer: ObjectAnswer | RightAnswer | None = None
    while True:
        try:
            lookup = decision.send(answer)
        except StopIteration as end:
            verdict: ExperimentVerdict = end.value
            return verdict
        if isinstance(lookup, RightLookup):
            answer = await rights.answer(lookup, deadline)
        else:
            answer = await lookups.answer(lookup, deadline)


async def drive_author_decision(
    decision: Generator[RightLookup, RightAnswer, AuthorVerdict],
    rights: ClusterRights,
    deadline: float,
) -> AuthorVerdict:
    """Decide on an author before the event loop's clock reaches the deadline."""
    try:
        lookup = next(decision)
        while True:
            lookup = decision.send(await rights.answer(lookup, deadline))
    except StopIteration as end:
        verdict: AuthorVerdict = end.value
        return verdict


def _with_trial(verdict: Verdict, trial: JsonObject) -> VerdictOnPod:
    ref = ref_of(trial) if trial else None
    return VerdictOnPod(verdict=verdict, trial=ref, trial_uid=uid_of(trial))


def _is_trial(lookup: Lookup) -> bool:
    return (
        not isinstance(lookup, ImageLookup)
        and lookup.kind == TRIAL.kind
        and lookup.api_version == TRIAL.api_version
    )
