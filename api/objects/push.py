"""Whether the pods of a job may push metrics to their sidecar, as its template says."""

from __future__ import annotations

from collections.abc import Mapping

from api.names import MLFLOW_ANNOTATION, PUSH_ANNOTATION
from api.types import Json

_DEEPEST = 16
"""Levels of a job above the annotations of its pods."""


def may_push(job: Json, levels: int = _DEEPEST) -> bool:
    """Return whether a template in a job lets its pod push, also for MLflow, wherever it is."""
    if levels == 0:
        return False
    if isinstance(job, Mapping):
        annotations = job.get("annotations")
        annotated = isinstance(annotations, Mapping) and any(
            annotations.get(name) == "true" for name in (PUSH_ANNOTATION, MLFLOW_ANNOTATION)
        )
        return annotated or any(may_push(part, levels - 1) for part in job.values())
    return isinstance(job, list | tuple) and any(may_push(part, levels - 1) for part in job)
