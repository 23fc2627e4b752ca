"""The JSON Schema of an Experiment for editors: the CRD's schema, stricter and without CEL.

An editor shows the descriptions, completes fields and words, and marks mistakes while the file is
written. So fields that no reader knows are mistakes here, which the API server would only prune.
Of the rules in CEL it has those that JSON Schema can say: required, not empty, at least a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from api.objects.metadata import API_VERSION
from api.types import Json
from manifests.schema.documents import EXPERIMENT, schema
from manifests.schema.rules import RULES

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
"""The newest draft that the YAML language server knows in full."""
_REQUIRED = re.compile(r"has\(self\.(\w+)\)(?P<filled> && self\.\1 != '')?")
_AT_LEAST = re.compile(r"self >= (\d+)")
_KEPT = ("default", "description", "enum", "maxItems", "maxLength", "maximum", "minimum", "type")
NOT_OFFERED = ("", "unknown")
"""Words of enumerations that a reader accepts and a user has no reason to write."""


def editor_schema() -> dict[str, Json]:
    """Write the schema of a file with an Experiment."""
    written = _converted(schema(EXPERIMENT), "")
    head: dict[str, Json] = {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": EXPERIMENT.kind},
        "metadata": {"type": "object", "properties": _METADATA},
    }
    members = {**written["properties"], **head, "status": {"type": "object"}}
    required = ["apiVersion", "kind", "metadata", *written["required"]]
    return {"$schema": _DIALECT, **written, "properties": members, "required": required}


_METADATA: Final[dict[str, Json]] = {
    name: {"type": "string"} for name in ("name", "generateName", "namespace")
}


def _converted(node: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Convert a place of the CRD's schema and all below it."""
    made: dict[str, Any] = {key: node[key] for key in _KEPT if key in node}
    if "enum" in made:
        made["enum"] = [word for word in made["enum"] if word not in NOT_OFFERED]
    if node.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    if "items" in node:
        made["items"] = _converted(node["items"], f"{path}[]")
    members: Mapping[str, Any] = node.get("properties", {})
    if members:
        made["properties"] = {
            name: _converted(member, f"{path}.{name}" if path else name)
            for name, member in members.items()
        }
    if members and not node.get("x-kubernetes-preserve-unknown-fields"):
        made["additionalProperties"] = False
    elif "additionalProperties" in node:
        made["additionalProperties"] = node["additionalProperties"]
    return _with_rules(made, node.get("required", []), path)


def _with_rules(made: dict[str, Any], required: list[str], path: str) -> dict[str, Any]:
    """Add the rules that JSON Schema can say."""
    required = [*required]
    for rule in RULES.get(path, ()):
        if match := _REQUIRED.fullmatch(rule.holds):
            required.append(match[1])
            if match["filled"]:
                made["properties"][match[1]]["minLength"] = 1
    least = least_of(path)
    if least is not None:
        made["minimum"] = least
    if required:
        made["required"] = sorted({*required})
    return made


def least_of(path: str) -> int | None:
    """Return the smallest number that the rules of a field allow; None without such a rule."""
    found = (_AT_LEAST.fullmatch(rule.holds) for rule in RULES.get(path, ()))
    return next((int(match[1]) for match in found if match), None)
