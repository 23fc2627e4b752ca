"""Answers AdmissionReviews of pods, and reports refusals in the log and in an Event."""

from __future__ import annotations

import asyncio
from typing import Final

from api.errors import SpecError
from api.types import JsonObject
from kube.cluster import Ref
from kube.events import Event, EventRecorder
from kube.settings_source import ConfigSource
from serving.logs import get_logger
from webhook.driver.decision_driver import DecisionDriver, VerdictOnPod
from webhook.model.config import Config
from webhook.model.pods import Owner, read_metadata
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodContext, Refuse
from webhook.pods.owners import MAX_DEPTH
from webhook.server import pod_admission
from webhook.server.admission_review import AdmissionRequest
from webhook.server.metrics import Metrics
from webhook.server.pod_admission import PodAdmission

PATH = "/mutate-pod"
POD_REFUSED: Final = "PodRefused"
"""The reason of the Event about a refused pod."""
_log = get_logger(__name__)


class PodHandler:
    """Answers AdmissionReviews of pods."""

    subject = "the pod"

    def __init__(
        self,
        driver: DecisionDriver,
        config: ConfigSource[Config],
        events: EventRecorder,
        metrics: Metrics,
    ) -> None:
        self._driver, self._config, self._events, self._metrics = driver, config, events, metrics

    async def respond(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Decide on a pod and write the response; see `AdmissionHandler`."""
        admission = pod_admission.pod_admission_of(request)
        context = PodContext(namespace=admission.namespace, name=admission.name)
        decided = await self._driver.decide(admission.pod, context, self._config.config, deadline)
        response = pod_admission.response_to(admission, decided.verdict)
        self._metrics.count_pod_review(decided.verdict, asyncio.get_running_loop().time() - started)
        if isinstance(decided.verdict, Refuse):
            self._refused(admission, decided, decided.verdict)
        elif decided.verdict.reason is Reason.OWNER_UNKNOWN:
            _log.info(
                "let a pod pass whose owner could not be looked up",
                cause=str(decided.verdict),
                namespace=admission.namespace,
            )
        return response

    def _refused(self, admission: PodAdmission, decided: VerdictOnPod, refuse: Refuse) -> None:
        """Log a refusal, and post an Event unless the request is a dry run."""
        about = _event_target(admission, decided)
        _log.warning(
            "refused a pod",
            reason=refuse.reason.value,
            cause=str(refuse),
            namespace=admission.namespace,
            owner=str(about[0]) if about else None,
            dryRun=admission.dry_run,
        )
        if about is not None and not admission.dry_run:
            ref, uid = about
            self._events.record(_event(ref, uid, refuse))


def _event(about: Ref, uid: str, refuse: Refuse) -> Event:
    """Return the Event; it is not about the pod, because a refused pod does not exist."""
    message = f"a pod was refused ({refuse.reason}): {refuse}"
    return Event(about=about, uid=uid, reason=POD_REFUSED, message=message)


def _event_target(admission: PodAdmission, decided: VerdictOnPod) -> tuple[Ref, str] | None:
    """Return the trial, else the controller of the pod, else None: the object and its uid."""
    if decided.trial is not None:
        return decided.trial, decided.trial_uid
    for owner in _owners(admission.pod)[:MAX_DEPTH]:
        if owner.controller and owner.name and owner.uid:
            ref = Ref(
                api_version=owner.api_version,
                kind=owner.kind,
                namespace=admission.namespace,
                name=owner.name,
            )
            return ref, owner.uid
    return None


def _owners(pod: JsonObject) -> tuple[Owner, ...]:
    try:
        return read_metadata(pod).owners
    except SpecError:
        return ()
