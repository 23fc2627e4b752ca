"""AdmissionReview v1: from the API server's bytes to what is to be judged, and back.

Whoever finds our port may send anything. What is a review gets an answer with its uid; what is
none raises NoReview, for then there is nobody to answer but the sender.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from api.errors import UserError
from api.objects.faults import quoted, shown
from api.types import Json, JsonObject
from webhook.mutate import mutate
from webhook.patch import patch_between
from webhook.reasons import Reason
from webhook.verdicts import Inject, Note, Refuse, Verdict

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
_PODS: Final = ("", "v1", "pods")
_LONGEST_UID: Final = 256
# Whose fault a refusal is; all others are the pod's or the trial's own.
_CODES: Final[Mapping[Reason, HTTPStatus]] = {
    Reason.LOOKUP_FAILED: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.CONFIG_INCOMPLETE: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class NoReview(UserError):
    """What was sent is no review of a pod that is to be created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A pod that is to be created, and what the API server says of it."""

    uid: str
    namespace: str
    name: str
    pod: JsonObject
    dry_run: bool = False


def read_admission(body: bytes) -> Admission:
    """Read a review.

    Raises:
        NoReview: it is none, and why.
    """
    review = _parsed(body)
    if not isinstance(review, dict) or review.get("kind") != KIND:
        raise NoReview(f"the body is no {KIND}; only the API server should call here")
    if review.get("apiVersion") != API_VERSION:
        raise NoReview(
            f"apiVersion is {shown(review.get('apiVersion'))}; only {API_VERSION} is spoken here:"
            " set the webhook's admissionReviewVersions to [v1]"
        )
    request = review.get("request")
    if not isinstance(request, dict):
        raise NoReview("request is missing: this is an answer, or has been cut")
    uid = request.get("uid")
    if not isinstance(uid, str) or not 0 < len(uid) <= _LONGEST_UID:
        raise NoReview(f"request.uid is {shown(uid)}; it must be a text")
    _check_purpose(request)
    pod = request.get("object")
    return Admission(
        uid=uid,
        namespace=_text(request, "namespace"),
        name=_text(request, "name"),
        # Whatever it is: that a pod cannot be read is a verdict, too.
        pod=pod if isinstance(pod, dict) else {"metadata": shown(pod)},
        dry_run=request.get("dryRun") is True,
    )


def answer(admission: Admission, verdict: Verdict) -> bytes:
    """Write the answer to a review.

    Raises:
        RecursionError: a value of the pod that belongs into the patch is nested too deeply.
    """
    response: dict[str, Json] = {"uid": admission.uid, "allowed": not isinstance(verdict, Refuse)}
    match verdict:
        case Inject():
            patch = patch_between(admission.pod, mutate(admission.pod, verdict.plan))
            if patch:
                response["patchType"] = "JSONPatch"
                response["patch"] = base64.b64encode(_dumped(patch)).decode()
            response["auditAnnotations"] = {"reason": verdict.reason.value}
            if verdict.warnings:
                response["warnings"] = [f"trialwatch: {_line(note)}" for note in verdict.warnings]
        case Refuse():
            code = _CODES.get(verdict.reason, HTTPStatus.BAD_REQUEST)
            response["status"] = _status(code, f"trialwatch ({verdict.reason}): {verdict}")
            response["auditAnnotations"] = {"reason": verdict.reason.value}
        case _:
            pass
    return _dumped({"apiVersion": API_VERSION, "kind": KIND, "response": response})


def answer_of_a_fault(uid: str, message: str) -> bytes:
    """Write the answer to a review that could not be judged: the pod is not let in."""
    status = _status(HTTPStatus.INTERNAL_SERVER_ERROR, message)
    response: JsonObject = {"uid": uid, "allowed": False, "status": status}
    return _dumped({"apiVersion": API_VERSION, "kind": KIND, "response": response})


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(body)
    except RecursionError:
        raise NoReview("the body is nested too deeply to be read") from None
    except ValueError as error:
        raise NoReview(f"the body is no JSON: {error}") from None


def _check_purpose(request: Mapping[str, Any]) -> None:
    """Check that pods are meant, and that they are to be created."""
    resource = request.get("resource")
    said = resource if isinstance(resource, dict) else {}
    meant = (said.get("group"), said.get("version"), said.get("resource"))
    if meant != _PODS or request.get("subResource") or request.get("operation") != "CREATE":
        what = "/".join(str(part)[:_LONGEST_UID] for part in meant if part is not None)
        raise NoReview(
            f"{quoted(str(request.get('operation')))} of {quoted(what)}: only the creation of pods"
            " is reviewed here; correct the rules of the webhook's configuration"
        )


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    return value if isinstance(value, str) else ""


def _status(code: HTTPStatus, message: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "code": int(code),
        "reason": {
            HTTPStatus.BAD_REQUEST: "BadRequest",
            HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
        }.get(code, "InternalError"),
        "message": message,
    }


def _line(note: Note) -> str:
    """Write a note as the API server takes warnings: on one line."""
    return " ".join(str(note).split())


def _dumped(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
