"""Katib's webhook configurations: which entries step aside, and how they come back.

An entry that steps aside keeps all that Katib wrote, and gets one more expression: the label that
the API server gives to every namespace must be missing. So it matches no request, also after a
restart of Katib, and the way back needs nothing but the removal of this expression.
"""

from __future__ import annotations

from typing import Final

from api.documents import mapping_at, mappings_at, text_at
from api.types import JsonObject

ASIDE: Final[JsonObject] = {"key": "kubernetes.io/metadata.name", "operator": "DoesNotExist"}
POD_ENTRIES: Final = ("mutator.pod.katib.kubeflow.org",)
EXPERIMENT_ENTRIES: Final = (
    "defaulter.experiment.katib.kubeflow.org",
    "validator.experiment.katib.kubeflow.org",
)


def set_aside(configuration: JsonObject, entries: tuple[str, ...], *, aside: bool) -> JsonObject:
    """Return the configuration with these entries aside, or back as Katib wrote them."""
    return {
        **configuration,
        "webhooks": [
            _set(entry, aside=aside) if text_at(entry, "name") in entries else entry
            for entry in mappings_at(configuration, "webhooks")
        ],
    }


def are_aside(configuration: JsonObject, entries: tuple[str, ...]) -> bool:
    """Return whether none of these entries matches a request; so it is without a configuration."""
    return all(
        ASIDE in mappings_at(entry, "namespaceSelector", "matchExpressions")
        for entry in mappings_at(configuration, "webhooks")
        if text_at(entry, "name") in entries
    )


def _set(entry: JsonObject, *, aside: bool) -> JsonObject:
    selector = dict(mapping_at(entry, "namespaceSelector"))
    others = [one for one in mappings_at(selector, "matchExpressions") if one != ASIDE]
    selector["matchExpressions"] = [*others, ASIDE] if aside else others
    if not selector["matchExpressions"]:
        del selector["matchExpressions"]
    return {**entry, "namespaceSelector": selector}
