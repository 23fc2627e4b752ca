"""AdmissionReviews of pods: reads the request, and writes the response for a verdict."""

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
# Reasons that are not the fault of the pod or the trial.
_CODES: Final[Mapping[Reason, HTTPStatus]] = {
    Reason.LOOKUP_FAILED: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.KATIBS_IMAGE: HTTPStatus.INTERNAL_SERVER_ERROR,
    Reason.CONFIG_INCOMPLETE: HTTPStatus.INTERNAL_SERVER_ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PodAdmission:
    """A request to create a pod."""

    uid: str
    namespace: str
    name: str
    pod: JsonObject
    dry_run: bool = False


def read_pod_admission(body: bytes) -> PodAdmission:
    """Read an AdmissionReview of a pod.

    Raises:
        InvalidReview: it is not one; says why.
    """
    return pod_admission_of(read_request(body))


def pod_admission_of(request: AdmissionRequest) -> PodAdmission:
    """Take a request as one about a pod.

    Raises:
        InvalidReview: it is about another kind or operation.
    """
    if request.resource != _PODS or request.subresource or request.operation != "CREATE":
        raise request.unexpected("the creation of pods")
    pod = request.document
    return PodAdmission(
        uid=request.uid,
        namespace=request.namespace,
        name=request.name,
        # Any JSON: a decision refuses a pod that is not valid.
        pod=pod if isinstance(pod, dict) else {"metadata": shown(pod)},
        dry_run=request.dry_run,
    )


def response_to(admission: PodAdmission, verdict: Verdict) -> bytes:
    """Write the response for a verdict.

    Raises:
        RecursionError: a value of the pod that the patch must contain is nested too deeply.
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
