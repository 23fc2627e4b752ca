"""Whether the pods of a job may push metrics to their sidecar, as its template says."""

from __future__ import annotations

from collections.abc import Mapping

from api.names import PUSH_ANNOTATION
from api.types import Json

_DEEPEST = 16
"""Levels of a job above the annotations of its pods."""


def may_push(job: Json, levels: int = _DEEPEST) -> bool:
    """Return whether a template in a job has the annotation for pushes, wherever it is."""
    if levels == 0:
        return False
    if isinstance(job, Mapping):
        annotations = job.get("annotations")
        annotated = isinstance(annotations, Mapping) and annotations.get(PUSH_ANNOTATION) == "true"
        return annotated or any(may_push(part, levels - 1) for part in job.values())
    return isinstance(job, list | tuple) and any(may_push(part, levels - 1) for part in job)
