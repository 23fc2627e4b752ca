"""The syntax of a GJSON path: where it is cut into parts, and what a part says.

`api.gjson` describes the language. These functions read texts only, no document.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from api.errors import UserError
from api.faults import quoted

_OPERATOR = re.compile(r"==|!=|!%|<=|>=|<|>|=|%")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
cached = lru_cache(maxsize=1024)
"""The same few conditions are read again after each change of each job."""


@cached
def first_part(path: str) -> tuple[str, str]:
    """Split off the first part; the rest starts with its separator, or is empty."""
    if path.startswith("#("):
        end = _closed(path, 1)
        end += path[end : end + 1] == "#"
    elif path[:1] in ("[", "{"):
        end = _closed(path, 0)
    else:
        end = _plain_end(path)
    part, rest = path[:end], path[end:]
    if rest[:1] not in ("", ".", "|"):
        raise UserError(f"after {quoted(part)} there must be `.` or `|`, not {quoted(rest[:10])}")
    if not part or rest in (".", "|"):
        raise UserError(f"{quoted(path)} has an empty part; write a name between the dots")
    return part, rest


def _plain_end(path: str) -> int:
    position = 0
    while position < len(path) and path[position] not in ".|":
        position += 2 if path[position] == "\\" else 1
    return min(position, len(path))


def _closed(path: str, start: int) -> int:
    """Return the position after the bracket that closes the one at `start`."""
    waiting: list[str] = []
    for position, letter in _unquoted_letters(path, start):
        if letter in _CLOSING:
            waiting.append(_CLOSING[letter])
        elif waiting and letter == waiting[-1]:
            waiting.pop()
            if not waiting:
                return position + 1
    raise UserError(f"{quoted(path)}: a bracket or a quote is not closed; close it")


def _unquoted_letters(path: str, start: int = 0) -> list[tuple[int, str]]:
    """Return the characters outside of quotes with their positions, without escaped ones."""
    outside: list[tuple[int, str]] = []
    position, inside = start, False
    while position < len(path):
        letter = path[position]
        if letter == "\\":
            position += 2
            continue
        if letter == '"':
            inside = not inside
        elif not inside:
            outside.append((position, letter))
        position += 1
    return outside


def _outside(text: str) -> list[int]:
    """Return the positions outside of all quotes and brackets."""
    depth, places = 0, []
    for position, letter in _unquoted_letters(text):
        if letter in _CLOSING:
            depth += 1
        elif letter in _CLOSING.values():
            depth -= 1
        elif not depth:
            places.append(position)
    return places


def split_list(text: str) -> list[str]:
    """Split the inside of `[...]` at its commas."""
    cuts = [place for place in _outside(text) if text[place] == ","]
    edges = [-1, *cuts, len(text)]
    return [text[a + 1 : b].strip() for a, b in pairwise(edges)]


def split_pipe(path: str) -> tuple[str, str]:
    """Split a path at the first `|`: the path in each item, and the path in the list of results."""
    for place in _outside(path):
        if path[place] == "|":
            return path[:place], path[place + 1 :]
    return path, ""


@cached
def parts_of_query(inner: str) -> tuple[str, str, str]:
    """Split the inside of `#(...)` into path, operator and value; without an operator both are "".

    `==` is returned as `=`, and a value without its quotes.
    """
    for position in _outside(inner):
        operator = _OPERATOR.match(inner, position)
        if operator:
            wanted = inner[operator.end() :].strip()
            return inner[:position].strip(), operator[0].replace("==", "="), _unquoted(wanted)
    return inner.strip(), "", ""


def _unquoted(wanted: str) -> str:
    if wanted[:1] == "~":
        raise UserError(f"{quoted(wanted)} is not supported; compare with a value")
    if wanted[:1] != '"':
        return wanted
    if len(wanted) == 1 or wanted[-1] != '"':
        raise UserError(f"{quoted(wanted)} has no closing quote; add one")
    if "\\" in wanted:
        raise UserError(
            f"{quoted(wanted)} contains a backslash, which is not supported in a value; remove it"
        )
    return wanted[1:-1]


@cached
def name_pattern(part: str) -> str | re.Pattern[str]:
    """Return the name, or a pattern if it has wildcards."""
    plain: list[str] = []
    pattern: list[str] = []
    wild = False
    letters = iter(part)
    for letter in letters:
        if letter in "*?":
            wild = True
            pattern.append(".*" if letter == "*" else ".")
            continue
        taken = next(letters, "") if letter == "\\" else letter
        plain.append(taken)
        pattern.append(re.escape(taken))
    return re.compile("".join(pattern), re.DOTALL) if wild else "".join(plain)
