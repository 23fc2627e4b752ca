"""A stand-in for the API server's checks of an object by its CRD.

The order is the server's: unknown fields and nulls go, defaults come, then types and rules are
judged. The real server is asked in tests/cluster; this one is asked thousands of times a second.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from cel_expr_python import cel
from jsonschema import Draft202012Validator

FREE = "x-kubernetes-preserve-unknown-fields"
RULES = "x-kubernetes-validations"
_ENVIRONMENT = cel.NewEnv(
    variables={
        "self": cel.Type.DYN,
        "oldSelf": cel.Type.DYN,
        "hasOld": cel.Type.BOOL,
        "oldObject": cel.Type.DYN,
        "object": cel.Type.DYN,
    }
)


class Complaint(NamedTuple):
    """What is wrong, and where."""

    path: str
    message: str


def holds(expression: str, **values: object) -> bool:
    """Evaluate a CEL expression that is true or false."""
    value = _compiled(expression).eval(data=values).value()
    assert isinstance(value, bool), f"{expression}: {value}"
    return value


@cache
def _compiled(expression: str) -> cel.Expression:
    # The server has an optional value there, which this CEL does not know.
    return _ENVIRONMENT.compile(expression.replace("oldSelf.hasValue()", "hasOld"))


def admitted(schema: dict[str, Any], document: object) -> Any:  # noqa: ANN401 - JSON
    """Return the document as the server stores it: pruned, and with defaults."""
    return _defaulted(schema, pruned(schema, copy.deepcopy(document)))


def complaints(
    schema: dict[str, Any], document: object, old: object = None
) -> tuple[Complaint, ...]:
    """Return the server's complaints; like the server, check no rules if types are wrong."""
    new, before = admitted(schema, document), None if old is None else admitted(schema, old)
    return complaints_of_form(schema, new) or tuple(_judged(schema, new, before, ""))


def complaints_of_form(schema: dict[str, Any], document: object) -> tuple[Complaint, ...]:
    """Return a complaint for each value that the schema does not allow."""
    return tuple(
        Complaint(_path(error.absolute_path), error.message)
        for error in Draft202012Validator(schema).iter_errors(document)
    )


def _path(parts: Any) -> str:  # noqa: ANN401 - as jsonschema has it
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).lstrip(".")


def pruned(schema: dict[str, Any], value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the value without fields that are not in the schema."""
    if isinstance(value, dict) and "additionalProperties" not in schema:
        known = schema.get("properties", {})
        # The schema of metadata is the server's own.
        free = schema.get(FREE) or (schema.get("type") == "object" and not known)
        return {
            name: pruned(known.get(name, {FREE: True}), member)
            for name, member in value.items()
            if (name in known or free) and (member is not None or name not in known)
        }
    if isinstance(value, list) and "items" in schema:
        return [pruned(schema["items"], item) for item in value]
    return value


def _defaulted(schema: dict[str, Any], value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        for name, member in schema.get("properties", {}).items():
            if name not in value and "default" in member:
                value[name] = copy.deepcopy(member["default"])
            if name in value:
                value[name] = _defaulted(member, value[name])
    if isinstance(value, list) and "items" in schema:
        return [_defaulted(schema["items"], item) for item in value]
    return value


def _judged(schema: dict[str, Any], new: Any, old: Any, path: str) -> Iterator[Complaint]:  # noqa: ANN401 - JSON
    for rule in schema.get(RULES, ()):
        needs_old = "oldSelf" in rule["rule"] and not rule.get("optionalOldSelf")
        if needs_old and old is None:
            continue
        if not holds(rule["rule"], self=new, oldSelf=old or {}, hasOld=old is not None):
            yield Complaint((path + rule.get("fieldPath", "")).lstrip("."), rule["message"])
    if isinstance(new, dict):
        before = old if isinstance(old, dict) else {}
        for name, member in schema.get("properties", {}).items():
            if name in new:
                yield from _judged(
                    member, new[name], before.get(name), f"{path}.{name}".lstrip(".")
                )
    if isinstance(new, list):
        yield from _twice(schema, new, path)
        for i, item in enumerate(new):
            # Items of a list that has no keys are new to the server.
            yield from _judged(schema["items"], item, None, f"{path}[{i}]")


def _twice(schema: dict[str, Any], items: list[Any], path: str) -> Iterator[Complaint]:
    for key in schema.get("x-kubernetes-list-map-keys", ()):
        seen = [item[key] for item in items]
        for i, value in enumerate(seen):
            if value in seen[:i]:
                yield Complaint(f"{path}[{i}]", "Duplicate value")
