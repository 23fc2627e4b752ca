"""Go's flag syntax, which Katib's programs have and so ours have too.

`-x v`, `-x=v`, `--x v` and `--x=v` mean the same. A flag without a value of its own (`switch`)
is `-x`, `-x=true` or `-x=false`, never `-x false`. `--` ends the flags, and so does the first
word that is none; our programs take no words, so such a word is refused and named.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from api.errors import UserError
from api.faults import nearest, quoted

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_HELP = frozenset({"-h", "--h", "-help", "--help"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag: as it is written in a help text, what its value is, and a sentence on it."""

    name: str
    """With its dashes, one for Katib's and two for ours: `-s-db`, `--run-dir`."""
    value: str = ""
    """What stands for the value in a help text, such as `HOST:PORT`; "" for a switch."""
    sentence: str


def read_flags(argv: Sequence[str], flags: Iterable[Flag]) -> Iterator[tuple[Flag, str]]:
    """Yield each flag of a command line with its value; a bare switch's value is `true`.

    Raises:
        UserError: a word is no flag, a flag is not known, or it lacks its value.
    """
    known = {flag.name.lstrip("-"): flag for flag in flags}
    words = iter(argv)
    for word in words:
        if word == "--":
            break
        name, equals, value = _split(word)
        if name not in known:
            near = nearest(word.partition("=")[0], (flag.name for flag in known.values()))
            raise UserError(f"unknown flag {quoted(word)}{near or '; --help lists them all'}")
        flag = known[name]
        if not equals:
            given = next(words, None) if flag.value else "true"
            if given is None:
                raise UserError(f"flag {flag.name} lacks its value; write {flag.name} {flag.value}")
            value = given
        yield flag, value
    for word in words:
        raise UserError(f"{quoted(word)} is no flag; remove it: only flags are taken")


def asks_for_help(argv: Sequence[str]) -> bool:
    """Say whether a command line that is not to be read any further asks for the help text."""
    return any(word in _HELP for word in argv)


def parse_switch(text: str) -> bool:
    """Read a switch's value as Go's ParseBool does.

    Raises:
        UserError: it is neither true nor false.
    """
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise UserError(f"{quoted(text)} is neither true nor false; write one of these two")


def usage_of(flags: Iterable[Flag]) -> str:
    """Write the help text: a paragraph for each flag, in the order given."""
    paragraphs = []
    for flag in flags:
        head = f"  {flag.name} {flag.value}".rstrip()
        body = textwrap.indent(textwrap.fill(flag.sentence, 80, break_on_hyphens=False), " " * 8)
        paragraphs.append(f"{head}\n{body}\n")
    return "".join(paragraphs)


def _split(word: str) -> tuple[str, str, str]:
    """Split `--name=value`; a bad one is refused as Go refuses it."""
    dashes = 2 if word.startswith("--") else 1
    name, equals, value = word[dashes:].partition("=")
    if not word.startswith("-") or word == "-":
        raise UserError(f"{quoted(word)} is no flag; remove it: only flags are taken")
    if not name or name.startswith("-"):
        raise UserError(f"{quoted(word)} is no flag; write -name VALUE or -name=VALUE")
    return name, equals, value
