"""Which entries of a webhook configuration may be asked about a pod, by its labels alone.

`matchConditions` are expressions that only the API server reads; an entry that has some may still
pass over the pod.
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
    """Say whether a label selector matches; one that is left out matches everything."""
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
