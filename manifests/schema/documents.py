"""The three CRDs: the readers' fields, with defaults, limits, descriptions and rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api.limits import CHARACTERS, ITEMS
from api.objects.defaults import ALGORITHM
from api.objects.experiments import read_experiment
from api.objects.fields import Field
from api.objects.metadata import API_VERSION
from api.objects.suggestions import read_suggestion
from api.objects.trials import read_trial
from api.types import CollectorKind, Distribution, Json, ResumePolicy
from manifests.schema.rules import RULES
from manifests.schema.shape import Shape
from manifests.schema.texts import text_of

_GROUP, _VERSION = API_VERSION.split("/")
_STDOUT: dict[str, Json] = {"kind": CollectorKind.STDOUT.value}
_ANY_FORM: dict[str, Json] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_TEXT: dict[str, Json] = {"type": "string"}
_NAMED: dict[str, Json] = {
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of `kubectl get`."""

    name: str
    path: str
    type: str = "string"


_STATE = (
    Column(name="Type", path=".status.conditions[-1:].type"),
    Column(name="Status", path=".status.conditions[-1:].status"),
)
_AGE = Column(name="Age", path=".metadata.creationTimestamp", type="date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of the three kinds."""

    kind: str
    read: Callable[[Field], object]
    columns: tuple[Column, ...] = (*_STATE, _AGE)

    @property
    def singular(self) -> str:
        """The name in the singular, for `kubectl get`."""
        return self.kind.lower()

    @property
    def plural(self) -> str:
        """The name in the plural, for the API."""
        return f"{self.singular}s"


EXPERIMENT = Kind(kind="Experiment", read=read_experiment)
SUGGESTION = Kind(
    kind="Suggestion",
    read=read_suggestion,
    columns=(
        *_STATE,
        Column(name="Requested", path=".spec.requests"),
        Column(name="Assigned", path=".status.suggestionCount"),
        _AGE,
    ),
)
TRIAL = Kind(kind="Trial", read=read_trial)
KINDS = (EXPERIMENT, SUGGESTION, TRIAL)

# For an Experiment only: programs write the two others. The defaults are those of
# `api.objects.defaults` that depend on no other field.
_MORE: dict[str, Mapping[str, Json]] = {
    "spec.algorithm": {"default": {"algorithmName": ALGORITHM}},
    "spec.algorithm.algorithmName": {"default": ALGORITHM},
    "spec.resumePolicy": {"default": ResumePolicy.NEVER.value},
    "spec.metricsCollectorSpec": {"default": {"collector": _STDOUT}},
    "spec.metricsCollectorSpec.collector": {"default": _STDOUT},
    "spec.metricsCollectorSpec.collector.kind": {"default": CollectorKind.STDOUT.value},
    "spec.parameters[].feasibleSpace.distribution": {"default": Distribution.UNIFORM.value},
    "spec.parameters": _NAMED,
    "spec.parameters[]": {"required": ["name"]},
    "spec.trialTemplate.trialParameters": _NAMED,
    "spec.trialTemplate.trialParameters[]": {"required": ["name"]},
    "status.conditions": {"maxItems": 100},
    "status.conditions[].type": {"maxLength": 316},
    "status.conditions[].reason": {"maxLength": 1024},
}
_LIMITS: dict[str, Mapping[str, Json]] = {
    **{limit.path: {"maxItems": limit.most} for limit in ITEMS},
    **{limit.path: {"maxLength": limit.most} for limit in CHARACTERS},
}
MORE = {path: {**_MORE.get(path, {}), **_LIMITS.get(path, {})} for path in (*_MORE, *_LIMITS)}
# Fields of any form, and the members of them that a rule reads.
READ_BY_RULES: dict[str, Mapping[str, Mapping[str, Json]]] = {
    "spec.trialTemplate.trialSpec": {"apiVersion": _TEXT, "kind": _TEXT, "metadata": _ANY_FORM},
    "spec.trialTemplate.trialSpec.metadata": {"name": _TEXT, "namespace": _TEXT},
}
_PORT: dict[str, Json] = {
    **dict.fromkeys(("type", "format", "minimum", "maximum")),
    "x-kubernetes-int-or-string": True,
}


def document(kind: Kind) -> dict[str, Json]:
    """Write the CustomResourceDefinition of a kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{_GROUP}"},
        "spec": {
            "group": _GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "categories": ["all", "kubeflow", "katib"],
            },
            "versions": [_version(kind)],
        },
    }


def _version(kind: Kind) -> dict[str, Json]:
    return {
        "name": _VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": column.name, "type": column.type, "jsonPath": column.path}
            for column in kind.columns
        ],
        "schema": {"openAPIV3Schema": schema(kind)},
    }


def schema(kind: Kind) -> dict[str, Json]:
    """Write the structural schema of a kind."""
    shape = Shape()
    kind.read(shape)
    decorate = _of_experiment if kind is EXPERIMENT else _of_any
    parts = {name: shape.at(name).schema(decorate, name) for name in ("spec", "status")}
    head: dict[str, Json] = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}}
    return {"type": "object", **decorate(""), "properties": {**head, **parts}}


def _of_any(path: str) -> dict[str, Json]:
    more: dict[str, Json] = {}
    text = text_of(path)
    if text:
        more["description"] = text
    if path.endswith(".httpGet.port"):
        more |= _PORT
    return more


def _of_experiment(path: str) -> dict[str, Json]:
    more: dict[str, Json] = {**_of_any(path), **MORE.get(path, {})}
    if path in READ_BY_RULES:
        members: dict[str, Json] = {}
        for name, member in READ_BY_RULES[path].items():
            members[name] = {**member, **_of_experiment(f"{path}.{name}")}
        more["properties"] = members
    if path in RULES:
        more["x-kubernetes-validations"] = [rule.written() for rule in RULES[path]]
    return more
