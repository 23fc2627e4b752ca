"""What an author may create, as it is kept with the Experiment: an annotation of the webhook's own.

The controller compares it with what a template has become, for a ConfigMap may be changed after
its experiment was admitted. So nobody else may write it:

| the request | the annotation |
|---|---|
| creates an experiment, or changes its spec | is the kind that the requester was asked about |
| changes all but the spec | stays as it is stored |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api.errors import Fault
from api.faults import forbidden
from api.names import AUTHOR_ANNOTATION
from api.types import Json, JsonObject
from webhook.experiments.request import ExperimentRequest


def with_author(asked: ExperimentRequest, document: JsonObject, kind: str) -> JsonObject:
    """Return the document with the annotation as it must be, whatever the request says of it."""
    right = _right(asked, kind)
    if _annotation(document) == right:
        return document
    metadata = _mapping(document.get("metadata"))
    others = _mapping(metadata.get("annotations"))
    annotations = {name: text for name, text in others.items() if name != AUTHOR_ANNOTATION}
    if right is not None:
        annotations[AUTHOR_ANNOTATION] = right
    return {**document, "metadata": {**metadata, "annotations": annotations}}


def forged(asked: ExperimentRequest, kind: str) -> Iterator[Fault]:
    """Find an annotation that is not ours; where there is none, ours was never asked for."""
    found = _annotation(asked.document)
    if found not in (None, _right(asked, kind)):
        path = f"metadata.annotations[{AUTHOR_ANNOTATION}]"
        yield forbidden(path, "only the webhook may set this annotation; leave it out")


def _right(asked: ExperimentRequest, kind: str) -> Json:
    return _annotation(asked.old) if asked.settled else kind or None


def _annotation(document: Json) -> Json:
    metadata = _mapping(_mapping(document).get("metadata"))
    return _mapping(metadata.get("annotations")).get(AUTHOR_ANNOTATION)


def _mapping(part: Json) -> JsonObject:
    return part if isinstance(part, Mapping) else {}
