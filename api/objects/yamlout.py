"""JSON -> YAML text that Kubernetes, PyYAML and trialwatch read as the same value."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from api.types import JsonObject

from .yamlscalars import TAG, resolve_as_kubernetes


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quotes each text that one of the readers would read as another type.

    It applies PyYAML's rules and those of Kubernetes, so that both read a text as a text.
    """

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Never write aliases, because they are hard to read."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Choose the style: a block for several lines, escapes for unprintable characters.

    By default PyYAML writes U+0085 (a line end in YAML) unescaped, and reads it as a space.
    """
    style = None
    if not text.isprintable():
        style = "|" if text.replace("\n", "").isprintable() else '"'
    return dumper.represent_scalar(TAG + "str", text, style=style)


resolve_as_kubernetes(_Dumper)
_Dumper.add_representer(str, _represent_text)


def dump_objects(documents: Iterable[JsonObject]) -> str:
    """Write objects as YAML documents; keys keep their order."""
    return yaml.dump_all(
        list(documents), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )
