"""The annotation of an Experiment that stores which kind its author may create.

The controller compares it with the kind in the template, because the ConfigMap of a template may
change after the experiment was admitted. So only the webhook may write it:

| the request | the annotation |
|---|---|
| creates an experiment, or changes its spec | becomes the kind that the user has the right to |
| changes anything else | stays as stored |
"""

from __future__ import annotations

from collections.abc import Iterator

from api.documents import mapping_at, value_at
from api.errors import Fault
from api.faults import forbidden
from api.names import AUTHOR_ANNOTATION
from api.types import Json, JsonObject
from webhook.experiments.request import ExperimentRequest


def with_author(request: ExperimentRequest, document: JsonObject, kind: str) -> JsonObject:
    """Return the document with the right annotation, whatever the request contains."""
    right = _right(request, kind)
    if _annotation(document) == right:
        return document
    metadata = mapping_at(document, "metadata")
    others = mapping_at(metadata, "annotations")
    annotations = {name: text for name, text in others.items() if name != AUTHOR_ANNOTATION}
    if right is not None:
        annotations[AUTHOR_ANNOTATION] = right
    return {**document, "metadata": {**metadata, "annotations": annotations}}


def forged(request: ExperimentRequest, kind: str) -> Iterator[Fault]:
    """Find an annotation that the webhook did not write; a missing one is not a fault."""
    sent = _annotation(request.document)
    if sent not in (None, _right(request, kind)):
        path = f"metadata.annotations[{AUTHOR_ANNOTATION}]"
        yield forbidden(path, "only the webhook may set this annotation; delete it")


def _right(request: ExperimentRequest, kind: str) -> Json:
    return _annotation(request.old) if request.exempt else kind or None


def _annotation(document: Json) -> Json:
    return value_at(document, "metadata", "annotations", AUTHOR_ANNOTATION)
