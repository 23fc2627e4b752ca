"""Where a job without pod templates has the labels of its pods.

| kind of | the labels of its pods | pod templates |
|---|---|---|
| `argoproj.io` | `spec.podMetadata.labels` | none: `spec.templates` have single containers |
| `tekton.dev` | its own `metadata.labels`, which Tekton copies | none |
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.documents import text_at
from api.types import JsonObject

_PLACES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "argoproj.io": ("spec", "podMetadata", "labels"),
        "tekton.dev": ("metadata", "labels"),
    }
)


def place_of_pod_labels(job: JsonObject) -> tuple[str, ...]:
    """Return the path of the labels that all pods of a job get; () if it has none."""
    group, _, _ = text_at(job, "apiVersion").rpartition("/")
    return _PLACES.get(group, ())
