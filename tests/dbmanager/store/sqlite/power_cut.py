"""What is on a disk after a power cut, from a journal of what a program did to its files.

A disk keeps what was synced. Of the writes since the last sync of a file it may keep any, in any
order: the journal is replayed up to a moment, and then none of these writes counts, or some. A new
file has its name once the directory was synced.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_HEAD = struct.Struct("<BBQQ")


class Act(NamedTuple):
    """One entry of the journal."""

    kind: str
    """C reate, W rite, T runcate, S ync, D irectory sync, U nlink."""
    name: str
    offset: int
    """Of a write; of a truncation the new size."""
    data: bytes


def read_journal(path: Path) -> Iterator[Act]:
    """Yield the entries."""
    journal = path.read_bytes()
    place = 0
    while place < len(journal):
        kind, name_length, offset, length = _HEAD.unpack_from(journal, place)
        place += _HEAD.size
        name = journal[place : place + name_length].decode()
        place += name_length
        yield Act(chr(kind), name, offset, journal[place : place + length])
        place += length


@dataclass(slots=True)
class _File:
    safe: bytearray = field(default_factory=bytearray)
    """What is on the disk for certain."""
    pending: list[Act] = field(default_factory=list)
    named: bool = False
    """Whether the name is on the disk."""

    def after(self, kept: list[Act]) -> bytes:
        content = bytearray(self.safe)
        for act in kept:
            _apply(content, act)
        return bytes(content)


class Disk:
    """The files of a directory, and what is certain of them."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}

    def do(self, act: Act) -> None:
        """Go on by one entry."""
        if act.kind == "D":
            for file in self._files.values():
                file.named = True
            return
        file = self._files.setdefault(act.name, _File())
        if act.kind in "WT":
            file.pending.append(act)
        elif act.kind == "S":
            for pending in file.pending:
                _apply(file.safe, pending)
            file.pending.clear()
        elif act.kind == "U":
            del self._files[act.name]

    def written(self, name: str) -> bytes:
        """Return what the program has written to a file, synced or not."""
        file = self._files.get(name, _File())
        return file.after(file.pending)

    def after_a_cut(self, dice: random.Random | None) -> Mapping[str, bytes]:
        """Return the files after a cut now: with none of the writes since the last sync, or some."""
        return {
            name: file.after([act for act in file.pending if dice and dice.random() < 0.5])
            for name, file in self._files.items()
            if file.named
        }


def _apply(content: bytearray, act: Act) -> None:
    if act.kind == "T":
        del content[act.offset :]
        content.extend(bytes(act.offset - len(content)))
        return
    content.extend(bytes(max(0, act.offset - len(content))))
    content[act.offset : act.offset + len(act.data)] = act.data
