"""The webhook's decision about an Experiment without a cluster: a file has the other objects."""

from __future__ import annotations

from collections.abc import Sequence

from api.documents import text_at
from api.names import INJECTION_ENABLED, INJECTION_LABEL
from api.types import JsonObject
from webhook.experiments.authors import RightAnswer, RightGranted, RightLookup
from webhook.experiments.decision import ExperimentVerdict, decide_on_experiment
from webhook.experiments.request import ExperimentRequest
from webhook.model.config import Config
from webhook.model.lookups import ObjectAbsent, ObjectAnswer, ObjectFound, ObjectLookup

_DEFAULT = "default"


def offline_verdict(
    document: JsonObject, others: Sequence[JsonObject], config: Config
) -> ExperimentVerdict:
    """Return the verdict; the author has all rights, and the namespace its label.

    Args:
        document: the Experiment.
        others: objects of the same file; the ConfigMap of a template is one of them.
        config: katib-config of the installation.
    """
    request = ExperimentRequest(
        namespace=text_at(document, "metadata", "namespace") or _DEFAULT,
        name=text_at(document, "metadata", "name"),
        document=document,
    )
    decision = decide_on_experiment(request, config)
    try:
        lookup = next(decision)
        while True:
            lookup = decision.send(_answer(lookup, others))
    except StopIteration as end:
        verdict: ExperimentVerdict = end.value
        return verdict


def _answer(
    lookup: ObjectLookup | RightLookup, others: Sequence[JsonObject]
) -> ObjectAnswer | RightAnswer:
    if isinstance(lookup, RightLookup):
        return RightGranted()
    if lookup.kind == "Namespace":
        return ObjectFound({"metadata": {"labels": {INJECTION_LABEL: INJECTION_ENABLED}}})
    for other in others:
        named = text_at(other, "metadata", "name") == lookup.name
        if other.get("kind") == lookup.kind and named:
            return ObjectFound(other)
    return ObjectAbsent()
