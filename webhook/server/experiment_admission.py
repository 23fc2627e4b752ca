"""AdmissionReviews of experiments: reads the request, and finds out whether it needs checks."""

from __future__ import annotations

from typing import Final

from api.documents import value_at
from api.types import Json
from webhook.experiments.request import ExperimentRequest
from webhook.server.admission_review import AdmissionRequest

_EXPERIMENTS: Final = "kubeflow.org/v1beta1/experiments"
_OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE")


def experiment_request_of(request: AdmissionRequest) -> ExperimentRequest:
    """Take a request as one about an experiment.

    Raises:
        InvalidReview: it is about another kind or operation.
    """
    if request.resource != _EXPERIMENTS or request.operation not in _OPERATIONS:
        raise request.unexpected("the creation and change of experiments")
    old = request.old if request.operation == "UPDATE" else None
    return ExperimentRequest(
        namespace=request.namespace,
        name=request.name,
        document=request.document,
        old=old,
        author=request.requester,
        exempt=is_exempt(request, old),
    )


def is_exempt(request: AdmissionRequest, old: Json) -> bool:
    """Return whether the request changes nothing that has a rule.

    A rule may be newer than the object; it must not block a request that removes a finalizer, sets
    a label or writes the status.
    """
    if request.subresource or request.operation == "DELETE":
        return True
    if old is None:
        return False
    if value_at(request.document, "metadata", "deletionTimestamp") is not None:
        return True
    return value_at(request.document, "spec") == value_at(old, "spec")
