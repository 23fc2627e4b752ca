"""Golden patches without what all have in common.

What a patch has in common with the golden of the default case is one line that begins with `MARK`:

- an operation that is equal: `- as in stdout_by_label.golden.yaml: add /spec/volumes`
- the fields of the sidecar that are equal: `as in stdout_by_label.golden.yaml: image, command`

`restored` gives the whole patch again, so nothing that a patch says escapes its golden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from api import names
from api.types import Json, JsonObject

DEFAULT = "stdout_by_label"
MARK = f"as in {DEFAULT}.golden.yaml"
# One golden in full for each shape of the sidecar's block: they show what the marks stand for.
FULL = frozenset({DEFAULT, "file", "early_stopping", "ordinary_container"})


def elided(patch: Sequence[JsonObject], default: Sequence[JsonObject]) -> list[JsonObject]:
    """Return a patch with a mark in place of each part that it has in common with the default."""
    sidecar = _sidecar_of(default)
    return [
        {MARK: _act(operation)}
        if operation in default
        else _with_value(operation, lambda part: _elided_container(part, sidecar))
        for operation in patch
    ]


def restored(patch: Sequence[JsonObject], default: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the patch that `elided` was given."""
    sidecar = _sidecar_of(default)
    by_act = {_act(operation): operation for operation in default}
    return [
        by_act[str(operation[MARK])]
        if MARK in operation
        else _with_value(operation, lambda part: _restored_container(part, sidecar))
        for operation in patch
    ]


def _act(operation: JsonObject) -> str:
    return f"{operation['op']} {operation['path']}"


def _with_value(operation: JsonObject, change: Callable[[Json], Json]) -> JsonObject:
    """Return an operation with its containers changed; they are its value, or a list in it."""
    value = operation.get("value")
    if isinstance(value, list):
        return {**operation, "value": [change(part) for part in value]}
    return {**operation, "value": change(value)} if isinstance(value, Mapping) else operation


def _elided_container(part: Json, sidecar: JsonObject) -> Json:
    if not isinstance(part, Mapping) or part.get("name") != sidecar["name"]:
        return part
    own = {
        key: value
        for key, value in part.items()
        if key == "name" or key not in sidecar or value != sidecar[key]
    }
    common = [key for key in part if key not in own]
    return {**own, MARK: ", ".join(common)} if common else own


def _restored_container(part: Json, sidecar: JsonObject) -> Json:
    if not isinstance(part, Mapping) or MARK not in part:
        return part
    own = {key: value for key, value in part.items() if key != MARK}
    return {**own, **{key: sidecar[key] for key in str(part[MARK]).split(", ")}}


def _sidecar_of(patch: Sequence[JsonObject]) -> JsonObject:
    """Return the collector's container in a patch that adds it."""
    for operation in patch:
        value = operation.get("value")
        for part in value if isinstance(value, list) else []:
            if isinstance(part, Mapping) and part.get("name") == names.COLLECTOR_CONTAINER:
                return part
    raise AssertionError("the default case adds no sidecar")
