"""The OpenAPI document of the API, from the table of its operations and from the types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ui.server.operation import PREFIX, Operation, Problem

_REF = "#/components/schemas/{name}"
_PROBLEMS = {
    "400": "The request has a fault.",
    "401": "The token is missing or wrong.",
    "403": "Another page has sent the request.",
    "404": "The experiment, the trial or the log does not exist.",
    "503": "The store, the cluster or a file cannot be read now; try again.",
}


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document, of OpenAPI 3.1."""
    types = [one.answers for one in operations if one.answers is not str]
    types += [one.body for one in operations if one.body is not None]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REF)
    by_type = dict(zip((id(kind) for kind in types), schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(f"{PREFIX}{one.path}", {})[one.method.lower()] = _operation(one, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "trialwatch",
            "version": "1",
            "description": "Experiments and trials, as the pages of `trialwatch ui` read them.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Operation, by_type: dict[int, dict[str, Any]]) -> dict[str, Any]:
    answer = {"type": "string"} if one.answers is str else by_type[id(one.answers)]
    problem = {"application/json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    responses: dict[str, Any] = {
        "200": {"description": "The answer.", "content": {one.media: {"schema": answer}}}
    }
    for status, text in _PROBLEMS.items():
        responses[status] = {"description": text, "content": problem}
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": [*_path_parameters(one), *_query_parameters(one)],
        "responses": responses,
    }
    if one.body is not None:
        content = {"application/json": {"schema": by_type[id(one.body)]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema} for name in one.path_names
    ]


def _query_parameters(one: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "in": "query",
            "required": each.is_required,
            "description": each.text,
            "schema": each.schema,
        }
        for each in one.query
    ]
