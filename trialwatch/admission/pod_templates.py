"""The pods in an object: a Pod itself, or any part that is a pod template.

A Job has its template at spec.template, a CronJob at a deeper level, and a PyTorchJob has several.
Any mapping with a list `spec.containers` counts as a pod, so this works for objects of any kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api.documents import value_at
from api.types import Json, JsonObject

Path = tuple[str | int, ...]


def pods_in(document: JsonObject) -> Iterator[tuple[Path, JsonObject]]:
    """Yield each pod or pod template with its path, in the order of the document."""
    yield from _pods((), document)


def put(document: Json, path: Path, part: Json) -> Json:
    """Return a copy of the document with another part at a path."""
    if not path:
        return part
    step, rest = path[0], path[1:]
    if isinstance(document, Mapping) and isinstance(step, str):
        return {**document, step: put(document[step], rest, part)}
    if isinstance(document, list) and isinstance(step, int):
        return [*document[:step], put(document[step], rest, part), *document[step + 1 :]]
    raise ValueError(f"the document has nothing at {step}")


def _pods(path: Path, value: Json) -> Iterator[tuple[Path, JsonObject]]:
    if isinstance(value, Mapping):
        if isinstance(value_at(value, "spec", "containers"), list):
            yield path, value
            return
        for name, part in value.items():
            yield from _pods((*path, name), part)
    elif isinstance(value, list):
        for i, part in enumerate(value):
            yield from _pods((*path, i), part)
