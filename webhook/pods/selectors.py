"""Which entries of a webhook configuration select a pod by the labels of pod and namespace.

An entry may also have `matchConditions`, which only the API server evaluates: such an entry may
still not apply to a pod that it selects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api.documents import items_at, mapping_at, mappings_at, text_at
from api.types import Json, JsonObject

Labels = Mapping[str, str]


def entries_for(configuration: JsonObject, pod: Labels, namespace: Labels) -> Iterator[str]:
    """Yield the names of the entries whose selectors match a pod's and its namespace's labels."""
    for entry in mappings_at(configuration, "webhooks"):
        on_pod, on_namespace = entry.get("objectSelector"), entry.get("namespaceSelector")
        if matches(on_pod, pod) and matches(on_namespace, namespace):
            yield text_at(entry, "name")


def matches(selector: Json, labels: Labels) -> bool:
    """Return whether a label selector matches; a missing selector matches everything."""
    if not isinstance(selector, Mapping):
        return True
    if not mapping_at(selector, "matchLabels").items() <= labels.items():
        return False
    return all(_holds(rule, labels) for rule in mappings_at(selector, "matchExpressions"))


def _holds(rule: JsonObject, labels: Labels) -> bool:
    key = text_at(rule, "key")
    among = labels.get(key) in items_at(rule, "values")
    match rule.get("operator"):
        case "In":
            return key in labels and among
        case "NotIn":
            return key not in labels or not among
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
