"""An Experiment as a file that explains itself: YAML with a comment before each block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import yaml

from api.objects.experiments import render_experiment
from api.objects.yamlout import dump_objects
from api.types import Experiment

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes, such as `("spec", "parameters", 0)`."""
Comments: TypeAlias = Mapping[Path, Sequence[str]]
"""Lines without `#`, by the place before which they stand; `()` is the top of the file."""


def commented_yaml(experiment: Experiment, comments: Comments) -> str:
    """Return the Experiment as YAML with comments."""
    text = dump_objects([render_experiment(experiment)])
    lines = text.splitlines()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    places = [((), 0, 0), *_places(root, ())]
    # From the end, so that the numbers of earlier lines stay.
    for path, line, column in sorted(places, key=lambda place: place[1], reverse=True):
        comment = comments.get(path, ())
        lines[line:line] = [f"{' ' * column}# {words}".rstrip() for words in comment]
    return "\n".join(lines) + "\n"


def _places(node: yaml.Node | None, path: Path) -> Iterator[tuple[Path, int, int]]:
    """Yield each key and each item with its line and the column of its comment."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, key.value)
            yield here, key.start_mark.line, key.start_mark.column
            yield from _places(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            here = (*path, index)
            yield here, item.start_mark.line, max(item.start_mark.column - len("- "), 0)
            yield from _places(item, here)
