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
        return _is_annotated_pod(job) or any(may_push(part, levels - 1) for part in job.values())
    return isinstance(job, list | tuple) and any(may_push(part, levels - 1) for part in job)


def _is_annotated_pod(document: Mapping[str, Json]) -> bool:
    """Return whether this is a pod, or its template, with one of the annotations."""
    metadata, spec = document.get("metadata"), document.get("spec")
    if not isinstance(metadata, Mapping) or not isinstance(spec, Mapping):
        return False
    annotations = metadata.get("annotations")
    return (
        "containers" in spec
        and isinstance(annotations, Mapping)
        and any(annotations.get(name) == "true" for name in (PUSH_ANNOTATION, MLFLOW_ANNOTATION))
    )
