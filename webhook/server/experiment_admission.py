"""Reviews of experiments: which request asks about one, and whether there is anything to judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.types import Json
from webhook.experiments.request import ExperimentRequest
from webhook.server.admission_review import AdmissionRequest

_EXPERIMENTS: Final = "kubeflow.org/v1beta1/experiments"
_OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE")


def experiment_request_of(request: AdmissionRequest) -> ExperimentRequest:
    """Take a request as one about an experiment.

    Raises:
        NoReview: it is about something else.
    """
    if request.resource != _EXPERIMENTS or request.operation not in _OPERATIONS:
        raise request.refused("the creation and change of experiments")
    old = request.old if request.operation == "UPDATE" else None
    return ExperimentRequest(
        namespace=request.namespace,
        name=request.name,
        document=request.document,
        old=old,
        author=request.requester,
        settled=is_settled(request, old),
    )


def is_settled(request: AdmissionRequest, old: Json) -> bool:
    """Say whether all that is wrong with an object is none of this request's doing.

    Whoever takes a finalizer away, sets a label or writes the status must not be kept from it by a
    rule that is younger than the object.
    """
    if request.subresource or request.operation == "DELETE":
        return True
    if old is None:
        return False
    metadata = _part(request.document, "metadata")
    if _part(metadata, "deletionTimestamp") is not None:
        return True
    return _part(request.document, "spec") == _part(old, "spec")


def _part(document: Json, name: str) -> Json:
    return document.get(name) if isinstance(document, Mapping) else None
