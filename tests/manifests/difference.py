"""How one rendering differs from another, object by object, as text that a stranger can read."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

_CONTEXT_LINES = 3
_HEAD = """\
# How the overlay {name} differs from {base}, whose golden is the full text.
#   === changed     a unified diff of one object; line numbers count from the object's first line
#   === only here   an object that {base} does not have, in full
#   === not here    an object that only {base} has
# All other objects are equal, and the objects stand in the same order.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The objects of a kustomization: the text of each by its kind, namespace and name."""

    name: str
    objects: dict[str, str]


def rendering(name: str, text: str) -> Rendering:
    """Cut a rendering into its objects.

    Raises:
        ValueError: Two objects have the same kind, namespace and name.
    """
    objects: dict[str, str] = {}
    for document in text.split("---\n"):
        title = _title(document)
        if title in objects:
            raise ValueError(f"{name} renders {title} twice")
        objects[title] = document
    return Rendering(name=name, objects=objects)


def difference(base: Rendering, other: Rendering) -> str:
    """Return all that `other` has and `base` has not, and the other way round.

    Raises:
        ValueError: The objects of both stand in another order, which the text could not show.
    """
    ours = [title for title in other.objects if title in base.objects]
    theirs = [title for title in base.objects if title in other.objects]
    if ours != theirs:
        raise ValueError(f"{other.name} renders objects in another order than {base.name}")
    parts = [_HEAD.format(name=other.name, base=base.name)]
    for title, text in other.objects.items():
        if title not in base.objects:
            parts.append(f"\n=== only here: {title}\n{text}")
        elif text != base.objects[title]:
            parts.append(f"\n=== changed: {title}\n{_unified(base.objects[title], text)}")
    missing = [title for title in base.objects if title not in other.objects]
    parts += ["\n" if missing else "", *(f"=== not here: {title}\n" for title in missing)]
    return "".join(parts)


def _unified(before: str, after: str) -> str:
    lines = list(
        difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), n=_CONTEXT_LINES
        )
    )
    return "".join(lines[2:])  # without the names of two files


def _title(document: str) -> str:
    """Return an object's kind, with its namespace if it has one, and its name."""
    kind = re.search(r"^kind: (\S+)$", document, re.MULTILINE)
    metadata = re.search(r"^metadata:\n((?: .*\n)+)", document, re.MULTILINE)
    assert kind, document
    assert metadata, document
    fields = dict(re.findall(r"^  (name|namespace): (\S+)$", metadata[1], re.MULTILINE))
    return f"{kind[1]} {'/'.join(fields[key] for key in ('namespace', 'name') if key in fields)}"
