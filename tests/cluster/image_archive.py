"""The archive of an image: its size, its files, and what is in them."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Built:
    """The archive of an image, and how large the image is when it is unpacked."""

    name: str
    archive: Path

    def unpacked_bytes(self) -> int:
        """Return what its layers take on a node's disk."""
        with tarfile.open(self.archive) as outer:
            return sum(entry.size for entry in outer if entry.name.endswith(".tar"))

    def names(self) -> set[str]:
        """Return the paths of its files and folders, without those that a later layer removes."""
        names: set[str] = set()
        for layer in self._layers():
            removed = {re.sub(r"(^|/)\.wh\.", r"\1", name) for name in layer if _removes(name)}
            kept = (name for name in names if removed.isdisjoint(_with_parents(name)))
            names = {*kept, *(name for name in layer if not _removes(name))}
        return names

    def read(self, path: str) -> bytes:
        """Return the content of a file, as the last layer with the file has it."""
        return next(layer[path]() for layer in reversed(list(self._layers())) if path in layer)

    def _layers(self) -> Iterator[dict[str, Callable[[], bytes]]]:
        """Yield the files of each layer, the lowest first, with what reads them."""
        with tarfile.open(self.archive) as outer:
            (described,) = json.loads(_content(outer, "manifest.json"))
        for name in described["Layers"]:
            with tarfile.open(self.archive) as outer, _layer(outer, name) as layer:
                paths = [path.removeprefix("./").rstrip("/") for path in layer.getnames()]
            yield {path: partial(self._content_of, name, path) for path in paths}

    def _content_of(self, layer: str, path: str) -> bytes:
        with tarfile.open(self.archive) as outer, _layer(outer, layer) as inner:
            return _content(inner, path)


def _layer(outer: tarfile.TarFile, name: str) -> tarfile.TarFile:
    return tarfile.open(fileobj=outer.extractfile(name))


def _content(tar: tarfile.TarFile, path: str) -> bytes:
    file = tar.extractfile(path)
    assert file is not None, f"{path} is not a file"
    return file.read()


def _removes(name: str) -> bool:
    return Path(name).name.startswith(".wh.")


def _with_parents(name: str) -> set[str]:
    return {name, *map(str, Path(name).parents)}
