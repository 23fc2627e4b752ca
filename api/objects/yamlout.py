"""JSON -> YAML text that means the same to Kubernetes, to PyYAML and to us."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from api.types import JsonObject

from .yamlscalars import TAG, resolve_as_kubernetes


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quotes every text that one of the readers would take for something else.

    PyYAML's own rules stay beside those of Kubernetes: both must see a text as a text.
    """

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Write everything out: an alias is nothing that a user wants to read."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Choose the quotes: lines as a block, and escapes for what no terminal shows.

    Left to itself, PyYAML writes U+0085 (a line end to YAML) as it is, and it is read as a blank.
    """
    style = None
    if not text.isprintable():
        style = "|" if text.replace("\n", "").isprintable() else '"'
    return dumper.represent_scalar(TAG + "str", text, style=style)


resolve_as_kubernetes(_Dumper)
_Dumper.add_representer(str, _represent_text)


def dump_objects(documents: Iterable[JsonObject]) -> str:
    """Write objects as YAML documents, keys in the order they have."""
    return yaml.dump_all(
        list(documents), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )
