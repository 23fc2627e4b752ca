"""Reviews of pods at their creation: the verdict goes to the API server, the log and an Event."""

from __future__ import annotations

import asyncio

from api.errors import SpecError
from api.types import JsonObject
from kube.cluster import Ref
from kube.events import Events, Word
from kube.settings_source import ConfigSource
from serving.logs import get_logger
from webhook.driver.decision_driver import DecisionDriver, VerdictOnPod
from webhook.model.config import Config
from webhook.model.pods import Owner, read_metadata
from webhook.model.verdicts import PodContext, Refuse
from webhook.pods.owners import MAX_DEPTH
from webhook.server import pod_admission
from webhook.server.admission_review import AdmissionRequest
from webhook.server.metrics import Metrics
from webhook.server.pod_admission import PodAdmission

PATH = "/mutate-pod"
_log = get_logger(__name__)


class PodHandler:
    """Answers the reviews of pods."""

    what = "the pod"

    def __init__(
        self, driver: DecisionDriver, config: ConfigSource[Config], events: Events, metrics: Metrics
    ) -> None:
        self._driver, self._config, self._events, self._metrics = driver, config, events, metrics

    async def review(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Judge a pod. Raises NoReview and RecursionError, as any reviewer does."""
        asked = pod_admission.pod_admission_of(request)
        facts = PodContext(namespace=asked.namespace, name=asked.name)
        judgement = await self._driver.decide(asked.pod, facts, self._config.config, deadline)
        answer = pod_admission.response_to(asked, judgement.verdict)
        self._metrics.judged(judgement.verdict, asyncio.get_running_loop().time() - started)
        if isinstance(judgement.verdict, Refuse):
            self._refused(asked, judgement, judgement.verdict)
        return answer

    def _refused(self, asked: PodAdmission, judgement: VerdictOnPod, refuse: Refuse) -> None:
        """Log it, and tell the trial or whoever made the pod; a dry run touches nothing."""
        about = _whom_to_tell(asked, judgement)
        _log.warning(
            "refused a pod",
            reason=refuse.reason.value,
            cause=str(refuse),
            namespace=asked.namespace,
            owner=str(about[0]) if about else None,
            dryRun=asked.dry_run,
        )
        if about is not None and not asked.dry_run:
            ref, uid = about
            self._events.tell(_word(ref, uid, refuse))


def _word(about: Ref, uid: str, refuse: Refuse) -> Word:
    """Say it on the trial, or on who wanted the pod: the pod itself never comes to be."""
    message = f"a pod was refused ({refuse.reason}): {refuse}"
    return Word(about=about, uid=uid, reason="PodRefused", message=message)


def _whom_to_tell(asked: PodAdmission, judgement: VerdictOnPod) -> tuple[Ref, str] | None:
    """Return the trial, else who made the pod, else nobody."""
    if judgement.trial is not None:
        return judgement.trial, judgement.trial_uid
    for owner in _owners(asked.pod)[:MAX_DEPTH]:
        if owner.controller and owner.name and owner.uid:
            ref = Ref(
                api_version=owner.api_version,
                kind=owner.kind,
                namespace=asked.namespace,
                name=owner.name,
            )
            return ref, owner.uid
    return None


def _owners(pod: JsonObject) -> tuple[Owner, ...]:
    try:
        return read_metadata(pod).owners
    except SpecError:
        return ()
