"""The table of mutations: one file for each promise, with the lines whose change must be noticed.

A file of `promises/` has the promise in one sentence, and rows with these fields:

| field | meaning |
|---|---|
| `name` | what the mutated product does, in a few words |
| `file` | the file that changes, from the root of the repository |
| `old` | the line that is there now, without its indentation; it must be there once |
| `new` | the line that takes its place |
| `tests` | the tests of which one must fail, as pytest names them |
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROMISES = Path(__file__).with_name("promises")


class StaleRow(Exception):
    """A row of the table does not fit the product any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One row."""

    promise: str
    """The name of the promise's file, without its suffix."""
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def mutated(self, text: str) -> str:
        """Return the text of the file with the new line in place of the old one.

        Raises:
            StaleRow: the old line is not there, or is there more than once.
        """
        lines = text.splitlines(keepends=True)
        places = [index for index, line in enumerate(lines) if line.strip() == self.old]
        if len(places) != 1:
            count = f"{len(places)} times" if places else "no longer"
            raise StaleRow(
                f"{self.promise}: {self.name}: the line {self.old!r} is {count} in {self.file}:"
                f" renew the row in {PROMISES.name}/{self.promise}.toml"
            )
        line = lines[places[0]]
        indentation = line[: len(line) - len(line.lstrip())]
        lines[places[0]] = f"{indentation}{self.new}\n"
        return "".join(lines)


def promises(folder: Path = PROMISES) -> dict[str, str]:
    """Return the sentence of each promise by its name."""
    return {path.stem: str(_read(path)["promise"]) for path in sorted(folder.glob("*.toml"))}


def mutations(folder: Path = PROMISES) -> list[Mutation]:
    """Return all rows, by promise."""
    return [row for path in sorted(folder.glob("*.toml")) for row in _rows(path)]


def _rows(path: Path) -> Iterator[Mutation]:
    for row in _read(path)["mutation"]:
        yield Mutation(**{**row, "promise": path.stem, "tests": tuple(row["tests"])})


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
