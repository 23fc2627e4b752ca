"""The tables of flags and variables, as the documents have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from serving.main import Program
from serving.settings import Variable, documented


def flag_table(program: Program[Any]) -> str:
    """Write the table of all flags."""
    return _table("| flag | meaning | default |", _flag_rows(program))


def variable_table(variables: Iterable[Variable]) -> str:
    """Write the table of all variables."""
    rows = (f"| `{it.name}` | {it.sentence} | {it.default or 'empty'} |" for it in variables)
    return _table("| variable of Katib | meaning | default |", rows)


def _flag_rows(program: Program[Any]) -> Iterator[str]:
    for entry in documented(program.settings):
        flag = entry.flag
        name = f"`{f'{flag.name} {flag.value}'.strip()}`"
        alias = f", `{entry.alias}`" if entry.alias else ""
        yield f"| {name}{alias} | {flag.sentence} | {entry.default or 'none'} |"


def _table(head: str, rows: Iterable[str]) -> str:
    return "\n".join([head, "|---|---|---|", *rows]) + "\n"
