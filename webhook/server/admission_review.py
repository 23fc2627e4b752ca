"""AdmissionReview v1 as such: the API server's bytes in, the answer's bytes out.

Whoever finds our port may send anything. What is a review gets an answer with its uid; what is
none raises NoReview, for then there is nobody to answer but the sender.
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
from kube.access import NOBODY, Requester, requester_of

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
_LONGEST_UID: Final = 256
_REASONS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Invalid",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
}


class InvalidReview(UserError):
    """What was sent is no review, or none of what is reviewed at this path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRequest:
    """What the API server asks."""

    uid: str
    resource: str
    """Group, version and plural, with `/` between them; of pods the group is empty."""
    subresource: str = ""
    operation: str = ""
    namespace: str = ""
    name: str = ""
    """Empty where it is yet to be generated."""
    document: Json = None
    """The object as it is to be stored, whatever it is."""
    old: Json = None
    """The object that is stored."""
    dry_run: bool = False
    requester: Requester = NOBODY
    """Who sent it to the API server."""

    def refused(self, what: str) -> InvalidReview:
        """Say that this is not asked here; `what` is."""
        return InvalidReview(
            f"{quoted(self.operation)} of {quoted(self.resource)}: only {what} is reviewed here;"
            " correct the rules of the webhook's configuration"
        )


def read_request(body: bytes) -> AdmissionRequest:
    """Read a review.

    Raises:
        NoReview: it is none, and why.
    """
    review = _parsed(body)
    if not isinstance(review, dict) or review.get("kind") != KIND:
        raise InvalidReview(f"the body is no {KIND}; only the API server should call here")
    if review.get("apiVersion") != API_VERSION:
        raise InvalidReview(
            f"apiVersion is {shown(review.get('apiVersion'))}; only {API_VERSION} is spoken here:"
            " set the webhook's admissionReviewVersions to [v1]"
        )
    request = review.get("request")
    if not isinstance(request, dict):
        raise InvalidReview("request is missing: this is an answer, or has been cut")
    uid = request.get("uid")
    if not isinstance(uid, str) or not 0 < len(uid) <= _LONGEST_UID:
        raise InvalidReview(f"request.uid is {shown(uid)}; it must be a text")
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
        requester=requester_of(request.get("userInfo")),
    )


def allowed(
    uid: str,
    *,
    patch: Sequence[JsonObject] = (),
    warnings: Sequence[str] = (),
    reason: str = "",
) -> bytes:
    """Write the answer that lets an object in.

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
        response["warnings"] = [f"trialwatch: {_line(one)}" for one in warnings]
    return _answer(response)


def refused(
    uid: str,
    code: HTTPStatus,
    message: str,
    *,
    details: JsonObject | None = None,
    reason: str = "",
) -> bytes:
    """Write the answer that does not let an object in; `details` as the API has them."""
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
        raise InvalidReview("the body is nested too deeply to be read") from None
    except ValueError as error:
        raise InvalidReview(f"the body is no JSON: {error}") from None


def _resource(resource: object) -> str:
    said = resource if isinstance(resource, dict) else {}
    parts = (said.get("group"), said.get("version"), said.get("resource"))
    return "/".join(str(part)[:_LONGEST_UID] for part in parts if part is not None)


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    return value if isinstance(value, str) else ""


def _answer(response: JsonObject) -> bytes:
    return _dumped({"apiVersion": API_VERSION, "kind": KIND, "response": response})


def _line(text: str) -> str:
    """Write a text as the API server takes warnings: on one line."""
    return " ".join(text.split())


def _dumped(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
