"""Which entries of a webhook configuration select a pod by the labels of pod and namespace.

An entry may also have `matchConditions`, which only the API server evaluates: such an entry may
still not apply to a pod that it selects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api.types import Json, JsonObject

Labels = Mapping[str, str]


def entries_for(configuration: JsonObject, pod: Labels, namespace: Labels) -> Iterator[str]:
    """Yield the names of the entries whose selectors match a pod's and its namespace's labels."""
    listed = configuration.get("webhooks")
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, Mapping):
            on_pod, on_namespace = entry.get("objectSelector"), entry.get("namespaceSelector")
            if matches(on_pod, pod) and matches(on_namespace, namespace):
                yield str(entry.get("name", ""))


def matches(selector: Json, labels: Labels) -> bool:
    """Return whether a label selector matches; a missing selector matches everything."""
    if not isinstance(selector, Mapping):
        return True
    exact, rules = selector.get("matchLabels"), selector.get("matchExpressions")
    if isinstance(exact, Mapping) and not exact.items() <= labels.items():
        return False
    every = rules if isinstance(rules, list) else []
    return all(_holds(rule, labels) for rule in every if isinstance(rule, Mapping))


def _holds(rule: JsonObject, labels: Labels) -> bool:
    key, values = str(rule.get("key", "")), rule.get("values")
    among = labels.get(key) in (values if isinstance(values, list) else [])
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
