"""`trialwatch get --watch`: print each object whose line changes, until the user interrupts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from api.objects.yamlout import dump_objects
from api.types import JsonObject
from runner.state.interruption import interruptions
from trialwatch.output.object_table import Table
from trialwatch.sources.documents import name_of, namespace_of

Show = Callable[[Sequence[JsonObject]], None]
"""Processes the objects that have changed."""


class Printer:
    """Prints changed objects in one of the formats; nothing is printed twice."""

    def __init__(self, output: str, table: Table, kind: str) -> None:
        self._output, self._table, self._kind = output, table, kind
        self._printed: dict[tuple[str, str], object] = {}
        self._told: set[str] = set()

    def show(self, objects: Sequence[JsonObject]) -> None:
        """Print those of the objects that differ from what was printed of them."""
        changed = [one for one in objects if self._differs(one)]
        for text in self._texts(changed):
            print(text, flush=True)
        for message in interruptions(changed):
            if message not in self._told:
                self._told.add(message)
                print(message, file=sys.stderr, flush=True)

    def _differs(self, one: JsonObject) -> bool:
        key = (namespace_of(one), name_of(one))
        content: object = one if self._output in ("yaml", "json") else self._table.content(one)
        if self._output == "name":
            content = key
        if self._printed.get(key) == content:
            return False
        self._printed[key] = content
        return True

    def _texts(self, objects: Sequence[JsonObject]) -> Iterable[str]:
        match self._output:
            case "yaml":
                return (f"---\n{dump_objects([one])}".rstrip("\n") for one in objects)
            case "json":
                return (json.dumps(one, indent=2) for one in objects)
            case "name":
                return names_of(self._kind, objects)
            case _:
                return self._table.lines(objects)


def names_of(kind: str, objects: Sequence[JsonObject]) -> Iterator[str]:
    """Yield the names as `kubectl -o name` writes them: `trial.kubeflow.org/random-1`."""
    return (f"{kind[:-1]}.kubeflow.org/{name_of(one)}" for one in objects)
