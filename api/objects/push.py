"""Whether the pods of a job may push metrics to their sidecar, as its template says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.names import MLFLOW_ANNOTATION, PUSH_ANNOTATION
from api.types import Json

_DEEPEST = 16
"""Levels of a job above the annotations of its pods."""
_OF_RUN: Final = "PipelineRun"
"""Tekton copies the annotations of a run to its pods."""
_CONTAINER_PARTS: Final = ("container", "script")
"""A template of an Argo Workflow has one of them in place of a pod's `spec`."""


def may_push(job: Json, levels: int = _DEEPEST) -> bool:
    """Return whether a template in a job lets its pod push, also for MLflow, wherever it is."""
    if levels == 0:
        return False
    if isinstance(job, Mapping):
        return _is_annotated_pod(job) or any(may_push(part, levels - 1) for part in job.values())
    return isinstance(job, list | tuple) and any(may_push(part, levels - 1) for part in job)


def _is_annotated_pod(document: Mapping[str, Json]) -> bool:
    """Return whether this gives its annotations to a pod, and one of them lets it push."""
    spec = document.get("spec")
    is_pod = isinstance(spec, Mapping) and "containers" in spec
    is_pod = is_pod or any(part in document for part in _CONTAINER_PARTS)
    is_pod = is_pod or document.get("kind") == _OF_RUN
    metadata = document.get("metadata") if is_pod else document.get("podMetadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return isinstance(annotations, Mapping) and any(
        annotations.get(name) == "true" for name in (PUSH_ANNOTATION, MLFLOW_ANNOTATION)
    )
