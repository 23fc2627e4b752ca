"""Where the pods are in an object: a Pod itself, or any part that is one's template.

A Job has its template at spec.template, a CronJob deeper, a PyTorchJob several. They are told by
their shape, `spec.containers`, so that objects of kinds that nobody here knows work as well.
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
    """Return the document with another part at a path; the given one stays as it is."""
    if not path:
        return part
    step, rest = path[0], path[1:]
    if isinstance(document, Mapping) and isinstance(step, str):
        return {**document, step: put(document[step], rest, part)}
    if isinstance(document, list) and isinstance(step, int):
        return [*document[:step], put(document[step], rest, part), *document[step + 1 :]]
    raise ValueError(f"there is nothing at {step} of this document")


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
