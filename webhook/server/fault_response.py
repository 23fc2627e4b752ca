"""Responses that refuse an experiment or a trial: with its faults, or because a look-up failed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from api.errors import Fault
from api.types import JsonObject
from webhook.server import admission_review

_GROUP: Final = "kubeflow.org"
_REASONS: Final = {
    "Required": "FieldValueRequired",
    "Forbidden": "FieldValueForbidden",
}
_MOST_FAULTS: Final = 100
"""Faults that one response lists."""


def refused_for_faults(uid: str, kind: str, name: str, faults: tuple[Fault, ...]) -> bytes:
    """Refuse in the form that the API server uses for schema faults: kubectl lists the causes."""
    listed = faults[:_MOST_FAULTS]
    if len(faults) > _MOST_FAULTS:
        more = f"{len(faults) - _MOST_FAULTS} more faults; correct these first"
        listed = (*listed, Fault("spec", f"Invalid value: {more}"))
    texts = [str(fault) for fault in listed]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [
        {"reason": _reason(fault), "message": fault.message, "field": fault.path}
        for fault in listed
    ]
    details: JsonObject = {"group": _GROUP, "kind": kind, "name": name, "causes": causes}
    return admission_review.refused(uid, HTTPStatus.UNPROCESSABLE_ENTITY, text, details=details)


def refused_for_failed_lookup(uid: str, cause: str) -> bytes:
    """Refuse because something that the decision needs could not be looked up."""
    return admission_review.refused(uid, HTTPStatus.SERVICE_UNAVAILABLE, f"{cause}; try again")


def _reason(fault: Fault) -> str:
    return _REASONS.get(fault.message.partition(" ")[0].rstrip(":"), "FieldValueInvalid")
