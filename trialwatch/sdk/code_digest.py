"""Digits that change when a function changes: its code, its constants, and what it uses.

A search continues if its function is the same. In a notebook the user edits the function and runs
the cell again; the old trials must not count for the new function.

Comments and blank lines do not count. Of what a function uses, these count, also by way of others:
functions and classes of the same module, and plain values (`EPOCHS = 5`). Imported modules and
other objects, such as data, do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import CodeType, FunctionType
from typing import Final

DIGITS: Final = 8
_PLAIN = (str, bytes, int, float, bool, complex, type(None))
_DEEPEST = 5
_LARGEST = 100
"""Larger collections are data: only their size counts."""


def code_digest(function: object) -> str:
    """Return digits for a function."""
    digest = hashlib.sha256()
    module = getattr(function, "__module__", "")
    for text in _Reader(module).texts(function):
        digest.update(f"{text}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:DIGITS]


class _Reader:
    """Yields texts that identify a value; reads each function and class of a module once."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._read: list[object] = []

    def texts(self, value: object, depth: int = 0) -> Iterator[str]:
        """Yield the texts of a value."""
        yield type(value).__qualname__
        if isinstance(value, _PLAIN):
            yield repr(value)
        elif depth > _DEEPEST or any(value is one for one in self._read):
            return
        elif isinstance(value, FunctionType | type):
            if depth == 0 or value.__module__ == self._module:
                self._read.append(value)
                yield from (
                    self._function(value)
                    if isinstance(value, FunctionType)
                    else self._named(vars(value), 1)
                )
        elif isinstance(value, staticmethod | classmethod):
            yield from self.texts(value.__func__, depth)
        elif isinstance(value, partial):
            yield from self.texts(value.func, depth)
            yield from self._all((*value.args, *value.keywords.items()), depth + 1)
        elif isinstance(value, list | tuple | set | frozenset | dict):
            yield from self._collection(value, depth + 1)

    def _collection(
        self,
        value: Collection[object],
        depth: int,
    ) -> Iterator[str]:
        yield str(len(value))
        if len(value) > _LARGEST:
            return
        if isinstance(value, dict):
            yield from self._all(value.items(), depth)
        elif isinstance(value, set | frozenset):
            yield from sorted(repr(one) for one in value if isinstance(one, _PLAIN))
        else:
            yield from self._all(value, depth)

    def _function(self, function: FunctionType) -> Iterator[str]:
        yield from _of_code(function.__code__)
        yield from self._all((function.__defaults__, function.__kwdefaults__), 1)
        names = set(_names(function.__code__))
        known = function.__globals__
        yield from self._named({name: known[name] for name in names & known.keys()}, 1)
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
        for name, cell in cells:
            yield name
            with suppress(ValueError):  # the cell is empty
                yield from self.texts(cell.cell_contents, 1)

    def _named(self, values: Mapping[str, object], depth: int) -> Iterator[str]:
        for name in sorted(values):
            if name not in ("__doc__", "__firstlineno__", "__module__"):
                yield name
                yield from self.texts(values[name], depth)

    def _all(self, values: Iterable[object], depth: int) -> Iterator[str]:
        for value in values:
            yield from self.texts(value, depth)


def _of_code(code: CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    yield " ".join((*code.co_names, *code.co_varnames, *code.co_freevars))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        elif isinstance(constant, frozenset):
            yield from sorted(map(repr, constant))  # their order changes between processes
        else:
            yield repr(constant)


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that a code and the functions in it may read from the module."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
