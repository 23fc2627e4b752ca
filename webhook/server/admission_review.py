"""AdmissionReview v1: reads the API server's request from bytes, and writes the response to bytes.

Any program may send anything to the port. A valid AdmissionReview gets a response with its uid.
Everything else raises InvalidReview, and gets an HTTP error.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from api.errors import UserError
from api.faults import quoted, shown
from api.types import Json, JsonObject
from kube.access import Requester, requester_of

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
_LONGEST_UID: Final = 256
_REASONS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Invalid",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
}


class InvalidReview(UserError):
    """The request is not an AdmissionReview, or not one for this path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRequest:
    """The request in an AdmissionReview."""

    uid: str
    resource: str
    """Group, version and plural, joined by `/`; the group of pods is empty: `/v1/pods`."""
    subresource: str = ""
    operation: str = ""
    namespace: str = ""
    name: str = ""
    """Empty if the API server has yet to generate the name."""
    document: Json = None
    """The object that the request would store; any JSON."""
    old: Json = None
    """The object that is stored now; None: there is none."""
    dry_run: bool = False
    user_info: Json = None
    """As in the review; any JSON."""

    @property
    def requester(self) -> Requester:
        """The user who sent the request; read on demand, because reviews of pods do not need it."""
        return requester_of(self.user_info)

    def unexpected(self, expected: str) -> InvalidReview:
        """Return the error for a request that is not for this path; `expected` is."""
        return InvalidReview(
            f"{quoted(self.operation)} of {quoted(self.resource)}: this path reviews only"
            f" {expected}; correct the rules of the webhook's configuration"
        )


def read_request(body: bytes) -> AdmissionRequest:
    """Read an AdmissionReview.

    Raises:
        InvalidReview: it is not one; says why.
    """
    review = _parsed(body)
    if not isinstance(review, dict) or review.get("kind") != KIND:
        raise InvalidReview(f"the body is not an {KIND}; only the API server should call this path")
    if review.get("apiVersion") != API_VERSION:
        raise InvalidReview(
            f"apiVersion is {shown(review.get('apiVersion'))}, but must be {API_VERSION}; set"
            " admissionReviewVersions of the webhook's configuration to [v1]"
        )
    request = review.get("request")
    if not isinstance(request, dict):
        raise InvalidReview("request is missing: the body is a response, or incomplete")
    uid = request.get("uid")
    if not isinstance(uid, str) or not 0 < len(uid) <= _LONGEST_UID:
        raise InvalidReview(
            f"request.uid is {shown(uid)}; it must be a string of 1 to {_LONGEST_UID} characters"
        )
    return AdmissionRequest(
        uid=uid,
        resource=_resource(request.get("resource")),
        subresource=_text(request, "subResource"),
        operation=_text(request, "operation")[:_LONGEST_UID],
        namespace=_text(request, "namespace"),
        name=_text(request, "name"),
        document=request.get("object"),
        old=request.get("oldObject"),
        dry_run=request.get("dryRun") is True,
        user_info=request.get("userInfo"),
    )


def allowed(
    uid: str,
    *,
    patch: Sequence[JsonObject] = (),
    warnings: Sequence[str] = (),
    reason: str = "",
) -> bytes:
    """Write the response that allows a request.

    Raises:
        RecursionError: a value of the patch is nested too deeply.
    """
    response: dict[str, Json] = {"uid": uid, "allowed": True}
    if patch:
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(_dumped(list(patch))).decode()
    if reason:
        response["auditAnnotations"] = {"reason": reason}
    if warnings:
        response["warnings"] = [f"trialwatch: {_line(text)}" for text in warnings]
    return _answer(response)


def refused(
    uid: str,
    code: HTTPStatus,
    message: str,
    *,
    details: JsonObject | None = None,
    reason: str = "",
) -> bytes:
    """Write the response that denies a request; `details` are those of a Kubernetes Status."""
    status: dict[str, Json] = {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "code": int(code),
        "reason": _REASONS.get(code, "InternalError"),
        "message": message,
    }
    if details is not None:
        status["details"] = details
    response: dict[str, Json] = {"uid": uid, "allowed": False, "status": status}
    if reason:
        response["auditAnnotations"] = {"reason": reason}
    return _answer(response)


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(body)
    except RecursionError:
        raise InvalidReview("the JSON of the body is nested too deeply") from None
    except ValueError as error:
        raise InvalidReview(f"the body is not JSON: {error}") from None


def _resource(resource: object) -> str:
    fields = resource if isinstance(resource, dict) else {}
    parts = (fields.get("group"), fields.get("version"), fields.get("resource"))
    return "/".join(str(part)[:_LONGEST_UID] for part in parts if part is not None)


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    return value if isinstance(value, str) else ""


def _answer(response: JsonObject) -> bytes:
    return _dumped({"apiVersion": API_VERSION, "kind": KIND, "response": response})


def _line(text: str) -> str:
    """Put a text on one line: the API server accepts only such warnings."""
    return " ".join(text.split())


def _dumped(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
