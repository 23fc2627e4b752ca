"""Go's flag syntax, which Katib's programs use, and therefore ours too.

`-x v`, `-x=v`, `--x v` and `--x=v` mean the same. A flag without a value (a switch) is written
`-x`, `-x=true` or `-x=false`, never `-x false`. `--` or the first word that is not a flag ends the
flags. Our programs take only flags, so such a word is an error.
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
    """One flag, as the help text shows it."""

    name: str
    """With its dashes: one for Katib's flags, two for ours, as in `-s-db` and `--run-dir`."""
    value: str = ""
    """The placeholder of the value, such as `HOST:PORT`; "" for a switch."""
    sentence: str
    also: str = ""
    """A second name, without dashes, that the help text does not show."""


def read_flags(argv: Sequence[str], flags: Iterable[Flag]) -> Iterator[tuple[Flag, str]]:
    """Yield each flag of a command line with its value; a bare switch's value is `true`.

    Raises:
        UserError: a word is not a flag, a flag is unknown, or its value is missing.
    """
    flags = tuple(flags)
    known = {flag.also: flag for flag in flags if flag.also}
    known |= {flag.name.lstrip("-"): flag for flag in flags}
    words = iter(argv)
    for word in words:
        if word == "--":
            break
        name, equals, value = _split(word)
        if name not in known:
            near = nearest(word.partition("=")[0], (flag.name for flag in known.values()))
            raise UserError(f"unknown flag {quoted(word)}{near or '; --help lists all flags'}")
        flag = known[name]
        if not equals:
            given = next(words, None) if flag.value else "true"
            if given is None:
                raise UserError(f"flag {flag.name} has no value; write {flag.name} {flag.value}")
            value = given
        yield flag, value
    for word in words:
        raise UserError(f"{quoted(word)} is not a flag; remove it: the program takes only flags")


def asks_for_help(argv: Sequence[str]) -> bool:
    """Return whether a command line asks for the help text; the flags are not checked."""
    return any(word in _HELP for word in argv)


def parse_switch(text: str) -> bool:
    """Read a switch's value as Go's ParseBool does.

    Raises:
        UserError: the text is neither true nor false.
    """
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise UserError(f"{quoted(text)} is neither true nor false; write true or false")


def usage_of(flags: Iterable[Flag]) -> str:
    """Return the help text: one paragraph for each flag, in the given order."""
    paragraphs = []
    for flag in flags:
        head = f"  {flag.name} {flag.value}".rstrip()
        body = textwrap.indent(textwrap.fill(flag.sentence, 80, break_on_hyphens=False), " " * 8)
        paragraphs.append(f"{head}\n{body}\n")
    return "".join(paragraphs)


def _split(word: str) -> tuple[str, str, str]:
    """Split `--name=value`; refuse what Go refuses."""
    dashes = 2 if word.startswith("--") else 1
    name, equals, value = word[dashes:].partition("=")
    if not word.startswith("-") or word == "-":
        raise UserError(f"{quoted(word)} is not a flag; remove it: the program takes only flags")
    if not name or name.startswith("-"):
        raise UserError(f"{quoted(word)} is not a flag; write -name VALUE or -name=VALUE")
    return name, equals, value
