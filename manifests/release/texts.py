"""What a person reads in the chart: its description, the sentences of its values, its notes."""

from __future__ import annotations

import textwrap
from typing import Any

from api.objects.yamlout import dump_objects

HEAD = "# Made from trialwatch's manifests by `make bundles`: change those, and not this file."

HELPERS = """\
{{- /* The name of an image: (list "controller" .Values.image). */ -}}
{{- define "trialwatch.image" -}}
{{- $name := index . 0 -}}
{{- $image := index . 1 -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{- with $image.repository }}{{ . }}/{{ end -}}
{{- $name -}}
{{- with index ($image.digests | default dict) $name }}@{{ . }}{{ else }}:{{ $image.tag }}{{ end -}}
{{- end -}}
"""

NOTES = """\
trialwatch {{ .Chart.AppVersion }} is installed in {{ .Release.Namespace }}.

    kubectl -n {{ .Release.Namespace }} rollout status deployment
    kubectl get experiments --all-namespaces

Helm never updates CRDs. Before an upgrade, apply those of the new chart:

    helm show crds CHART | kubectl apply --server-side --force-conflicts --filename=-
{{- if ne .Values.database "sqlite" }}

The DB manager reads the Secret trialwatch-database, which you create.
{{- end }}
"""

_SENTENCES = {
    "image": "Images are REGISTRY/REPOSITORY/controller:TAG, and so on. A digest takes the place of"
    " the tag: digests: {controller: sha256:...}.",
    "imagePullSecrets": "Secrets for that registry, as in a pod: [{name: my-registry}].",
    "database": "Where observations are stored: sqlite (on a volume), postgres or mysql. The last"
    " two read their address and password from the Secret trialwatch-database, which you create.",
    "storage": "The volume of sqlite. Without a className it has the cluster's default class. It"
    " stays when the release is uninstalled, if keep is true.",
    "auth": "Who may call the DB manager: required (callers with a token), permissive (those"
    ' without a token too) or "off" (all may read, report and delete, as with Katib).',
    "certManager": "Certificates come from cert-manager, which must be installed already.",
    "networkPolicies": "Limit outgoing connections too, and who may call.",
    "searches": "Give the controller the rights that searches with an image of their own need.",
    "monitoring": "A PodMonitor, alerts and a dashboard; needs the Prometheus Operator.",
    "katibConfig": "The whole text of katib-config.yaml, in place of the default.",
    "controller": "",
    "dbManager": "More replicas than one need postgres or mysql.",
    "suggestion": "",
    "webhook": "",
    "nodeSelector": "Where the pods of all programs run.",
    "tolerations": "",
}
_WIDTH = 78


def chart_file(version: str, kubernetes: str) -> str:
    """Return Chart.yaml."""
    return dump_objects(
        [
            {
                "apiVersion": "v2",
                "name": "trialwatch",
                "description": "Tunes anything that prints its metrics.",
                "type": "application",
                "version": version,
                "appVersion": version,
                "kubeVersion": f">={kubernetes}.0-0",
            }
        ]
    )


def values_file(lifted: dict[str, Any], version: str) -> str:
    """Return values.yaml: the values that stood in the manifests, and those of the chart alone."""
    image = {"registry": "", "repository": "trialwatch", "tag": version, "digests": {}}
    chosen: dict[str, Any] = {
        "certManager": False,
        "database": "sqlite",
        "imagePullSecrets": [],
        "katibConfig": "",
        "monitoring": False,
        "networkPolicies": False,
        "nodeSelector": {},
        "searches": False,
        "tolerations": [],
    }
    values = {**lifted, **chosen, "image": {**image, **lifted["image"]}}
    parts = []
    for name, sentence in _SENTENCES.items():
        parts += [*(f"# {line}" for line in textwrap.wrap(sentence, _WIDTH))]
        parts += [dump_objects([{name: values.pop(name)}]).rstrip("\n")]
    if values:
        raise ValueError(f"values without a sentence: {', '.join(values)}")
    return "\n".join((HEAD, *parts, ""))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the values: Helm refuses what is not valid by it."""
    text, flag, mapping = {"type": "string"}, {"type": "boolean"}, {"type": "object"}
    replicas = {"type": "integer", "minimum": 0}
    program = _closed({"replicas": replicas, "resources": mapping})
    some_objects = {"type": "array", "items": mapping}
    image = dict.fromkeys(("pullPolicy", "registry", "repository", "tag"), text)
    properties = {
        "auth": {"enum": ["required", "permissive", "off"]},
        "certManager": flag,
        "controller": program,
        "database": {"enum": ["sqlite", "postgres", "mysql"]},
        "dbManager": program,
        "global": mapping,  # Helm's own, given to each chart
        "image": _closed({**image, "digests": mapping}),
        "imagePullSecrets": some_objects,
        "katibConfig": text,
        "monitoring": flag,
        "networkPolicies": flag,
        "nodeSelector": mapping,
        "searches": flag,
        "storage": _closed({"className": text, "keep": flag, "size": text}),
        "suggestion": program,
        "tolerations": some_objects,
        "webhook": program,
    }
    one_writer = {"properties": {"dbManager": {"properties": {"replicas": {"maximum": 1}}}}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **_closed(properties),
        "if": {"properties": {"database": {"const": "sqlite"}}},
        "then": one_writer,
    }


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}
