"""Reviews of pods: what is to be judged, and the answer that a verdict makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from api.faults import shown
from api.types import JsonObject
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, Refuse, Verdict
from webhook.pods.mutate import mutate
from webhook.server import admission_review
from webhook.server.admission_review import AdmissionRequest, read_request
from webhook.server.json_patch import patch_between

_PODS: Final = "/v1/pods"
# Whose fault a refusal is; all others are the pod's or the trial's own.
_CODES: Final[Mapping[Reason, HTTPStatus]] = {
    Reason.LOOKUP_FAILED: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.CONFIG_INCOMPLETE: HTTPStatus.INTERNAL_SERVER_ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PodAdmission:
    """A pod that is to be created, and what the API server says of it."""

    uid: str
    namespace: str
    name: str
    pod: JsonObject
    dry_run: bool = False


def read_pod_admission(body: bytes) -> PodAdmission:
    """Read a review of a pod.

    Raises:
        NoReview: it is none, and why.
    """
    return pod_admission_of(read_request(body))


def pod_admission_of(request: AdmissionRequest) -> PodAdmission:
    """Take a request as one about a pod.

    Raises:
        NoReview: it is about something else.
    """
    if request.resource != _PODS or request.subresource or request.operation != "CREATE":
        raise request.refused("the creation of pods")
    pod = request.document
    return PodAdmission(
        uid=request.uid,
        namespace=request.namespace,
        name=request.name,
        # Whatever it is: that a pod cannot be read is a verdict, too.
        pod=pod if isinstance(pod, dict) else {"metadata": shown(pod)},
        dry_run=request.dry_run,
    )


def response_to(admission: PodAdmission, verdict: Verdict) -> bytes:
    """Write the answer to a review.

    Raises:
        RecursionError: a value of the pod that belongs into the patch is nested too deeply.
    """
    match verdict:
        case Inject():
            return admission_review.allowed(
                admission.uid,
                patch=patch_between(admission.pod, mutate(admission.pod, verdict.plan)),
                warnings=[str(note) for note in verdict.warnings],
                reason=verdict.reason.value,
            )
        case Refuse():
            return admission_review.refused(
                admission.uid,
                _CODES.get(verdict.reason, HTTPStatus.BAD_REQUEST),
                f"trialwatch ({verdict.reason}): {verdict}",
                reason=verdict.reason.value,
            )
        case _:
            return admission_review.allowed(admission.uid)
