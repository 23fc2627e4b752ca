"""The values of the chart: what each means, its default, and where it stands in the objects.

`lifted` puts a mark in the place of each value, and returns the defaults that stood there. So the
defaults are those of the manifests. `expanded` writes Helm's expressions in place of the marks.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

Object = dict[str, Any]

PROGRAMS = {
    "katib-db-manager": "dbManager",
    "trialwatch-controller": "controller",
    "trialwatch-suggestion": "suggestion",
    "trialwatch-webhook": "webhook",
}
"""Deployments, and what the values call each."""
PER_POD = ("imagePullSecrets", "nodeSelector", "tolerations")
"""Fields of all pods, absent by default."""
CONFIG, CONFIG_FILE = "katib-config", "katib-config.yaml"
IMAGE = re.compile(r"\btrialwatch/(collector|controller|dbmanager|suggestion|webhook):([\w.]+)")
_NAMESPACE = re.compile(r"\bkubeflow\b(?!\.org|-)")  # neither Katib's group nor its users' roles
_EXPRESSIONS = (
    # A key that is there only with a value.
    (
        re.compile(r"^( *)(\w+): WITH\(([\w.]+)\)$", re.MULTILINE),
        r"{{- with .Values.\3 }}\n\1\2: {{- toYaml . | nindent INDENT(\1) }}\n{{- end }}",
    ),
    (
        re.compile(r"^( *)(\w+): BLOCK\(([\w.]+)\)$", re.MULTILINE),
        r"\1\2: {{- toYaml .Values.\3 | nindent INDENT(\1) }}",
    ),
    # Helm reads this annotation in the chart, and not in the cluster.
    (
        re.compile(r"^( *)annotations: KEEP\(([\w.]+)\)$", re.MULTILINE),
        r"{{- if .Values.\2 }}\n\1annotations: {helm.sh/resource-policy: keep}\n{{- end }}",
    ),
    (re.compile(r"\bTEXT\(([\w.]+)\)"), r"{{ .Values.\1 | quote }}"),
    (re.compile(r"\bNUMBER\(([\w.]+)\)"), r"{{ .Values.\1 }}"),
    (IMAGE, r'{{ include "trialwatch.image" (list "\1" .Values.image) }}'),
    (_NAMESPACE, "{{ .Release.Namespace }}"),
)
_INDENT = re.compile(r"INDENT\(( *)\)")


def lifted(objects: Sequence[Object]) -> tuple[list[Object], Object]:
    """Return the objects with marks in place of the values, and the values by their names."""
    marked = copy.deepcopy([*objects])
    values: Object = {}
    for one in marked:
        if one["kind"] == "Deployment":
            name = PROGRAMS[one["metadata"]["name"]]
            values |= _lift_program(name, one["spec"])
        elif one["kind"] == "PersistentVolumeClaim":
            storage = one["spec"]["resources"]["requests"]
            values["storage"] = {"className": "", "keep": True, "size": storage["storage"]}
            one["metadata"]["annotations"] = "KEEP(storage.keep)"
            storage["storage"] = "TEXT(storage.size)"
            one["spec"]["storageClassName"] = "WITH(storage.className)"
    return marked, values


def _lift_program(name: str, spec: Object) -> Object:
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    values: Object = {
        name: {"replicas": spec["replicas"], "resources": container["resources"]},
        "image": {"pullPolicy": container["imagePullPolicy"]},
    }
    spec["replicas"] = f"NUMBER({name}.replicas)"
    container["resources"] = f"BLOCK({name}.resources)"
    container["imagePullPolicy"] = "TEXT(image.pullPolicy)"
    for field in PER_POD:
        pod[field] = f"WITH({field})"
    for variable in container.get("env", ()):
        if (name, variable["name"]) == ("dbManager", "AUTH"):  # the suggestion service has its own
            values["auth"] = variable["value"]
            variable["value"] = "TEXT(auth)"
    return values


def with_own_config(objects: Sequence[Object]) -> list[Object]:
    """Return the objects with the text of `katib-config` as a value."""
    changed = copy.deepcopy([*objects])
    for one in changed:
        if one["kind"] == "ConfigMap" and one["metadata"]["name"] == CONFIG:
            one["data"][CONFIG_FILE] = "TEXT(katibConfig)"
    return changed


def expanded(template: str) -> str:
    """Return a template with Helm's expressions in place of the marks."""
    for pattern, expression in _EXPRESSIONS:
        template = pattern.sub(expression, template)
    return _INDENT.sub(lambda found: str(len(found[1]) + 2), template)
