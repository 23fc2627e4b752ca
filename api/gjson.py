r"""The part of GJSON that job conditions use: `query(document, path) -> value`.

Katib reads `successCondition` and `failureCondition` with the Go library of this name. Supported
are:

| written | means |
|---|---|
| `a.b`, `a|b` | part `b` of `a`; `\` escapes the next character; `*`, `?` match names |
| `2` | the third item of a list |
| `#` | the number of items; `#.x`: the part `x` of each item that has it |
| `#(a=="b")`, `#(a=="b")#` | the first matching item, all matching items |
| `==` `=` `!=` `<` `<=` `>` `>=` `%` `!%` | between a path in the item and a value |
| no operator | the path exists |
| `@this` | the value itself |
| `[a,b]` | a list of the values of those paths that exist |

After `#` and `#(...)#`, a `.` continues in each item, and a `|` continues with the whole list.
Other modifiers, `{...}` and literals are errors, so that none is ignored silently.
"""

from __future__ import annotations

import operator as operators
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from api.errors import UserError
from api.faults import quoted
from api.gjson_syntax import (
    cached,
    first_part,
    name_pattern,
    parts_of_query,
    split_list,
    split_pipe,
)
from api.types import Json


class Missing:
    """The type of MISSING, the value of a path that does not exist; null is a value."""


MISSING: Final = Missing()
Value: TypeAlias = "Json | Missing"

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
_MOST_LEVELS = 50


def query(document: Json, path: str) -> Value:
    """Return the value of a path in a document; MISSING if the path does not exist.

    Raises:
        UserError: the path is not supported.
    """
    check(path)
    return _get(document, path)


@cached
def check(path: str) -> None:
    """Check a path without a document.

    Raises:
        UserError: the path is not supported.
    """
    _check(path, _MOST_LEVELS)


def _check(path: str, levels: int) -> None:
    """Check each part, so that a fault is found for any document."""
    rest = path
    while True:
        if not levels:
            raise UserError(f"{quoted(path)} is nested too deeply; write a simpler condition")
        levels -= 1
        part, rest = first_part(rest)
        if part[0] == "[":
            for inner in split_list(part[1:-1]):
                _check(inner, levels)
        elif part[:2] == "#(":
            inner, _, _ = parts_of_query(part[2 : part.rindex(")")])
            if inner:
                _check(inner, levels)
        elif part[0] in "{!" or (part[0] == "@" and part != "@this"):
            why = "is not supported; use paths, #(...), @this or [...]"
            raise UserError(f"{quoted(part)} {why}")
        if not rest:
            return
        rest = rest[1:]


def _get(value: Value, path: str) -> Value:
    if isinstance(value, Missing):
        return MISSING
    part, rest = first_part(path)
    piped, after = rest[:1] == "|", rest[1:]
    if (part == "#" or part[:2] == "#(") and isinstance(value, list | tuple):
        return _items(value, part, after, piped=piped)
    found = _step(value, part)
    return _get(found, after) if rest else found


def _items(items: list[Json] | tuple[Json, ...], part: str, after: str, *, piped: bool) -> Value:
    """Return the value of `#`, `#(...)` or `#(...)#` on a list, and of the path after it."""
    if part == "#" and (piped or not after):
        count: Value = len(items)
        return _get(count, after) if after else count
    fitting = items if part == "#" else _fitting(items, part)
    if part[-1] != "#":
        first = next(iter(fitting), MISSING)
        return _get(first, after) if after else first
    if piped or not after:
        return _get(list(fitting), after) if after else list(fitting)
    each, pipe = split_pipe(after)
    answers = [_get(item, each) for item in fitting]
    there: Value = [answer for answer in answers if not isinstance(answer, Missing)]
    return _get(there, pipe) if pipe else there


def _step(value: Json, part: str) -> Value:
    """Return the value of one plain part."""
    if part == "@this":
        return value
    if part[0] == "[":
        answers = [_get(value, inner) for inner in split_list(part[1:-1])]
        return [answer for answer in answers if not isinstance(answer, Missing)]
    if isinstance(value, Mapping):
        return _named(value, part)
    if isinstance(value, list | tuple) and re.fullmatch(r"[0-9]{1,9}", part):
        index = int(part)
        return value[index] if index < len(value) else MISSING
    return MISSING


def _named(mapping: Mapping[str, Json], part: str) -> Value:
    pattern = name_pattern(part)
    if isinstance(pattern, str):
        return mapping.get(pattern, MISSING)
    return next((mapping[name] for name in mapping if pattern.fullmatch(name)), MISSING)


def _fitting(items: list[Json] | tuple[Json, ...], part: str) -> list[Json]:
    inner = part[2 : part.rindex(")")]
    path, operator, wanted = parts_of_query(inner)
    fitting = []
    for item in items:
        found = _get(item, path) if path else item
        if not isinstance(found, Missing) and _fits(found, operator, wanted):
            fitting.append(item)
            if part[-1] != "#":
                break
    return fitting


def _fits(found: Json, operator: str, wanted: str) -> bool:
    """Compare as GJSON does, by the type of the value found.

    Null, lists and mappings never match.
    """
    if not operator:
        return True
    if isinstance(found, bool):
        return _flag_fits(operator, wanted, found=found)
    if isinstance(found, int | float):
        return _ordered(float(found), operator, _number(wanted))
    if not isinstance(found, str):
        return False
    if operator in ("%", "!%"):
        pattern = name_pattern(wanted)
        same = found == pattern if isinstance(pattern, str) else bool(pattern.fullmatch(found))
        return same is (operator == "%")
    return _ordered(found, operator, wanted)


def _flag_fits(operator: str, wanted: str, *, found: bool) -> bool:
    """Compare true or false, where false is less than true; `>=` and `<=` follow GJSON."""
    own, other = ("true", "false") if found else ("false", "true")
    beyond = ">" if found else "<"
    fits = {"=": wanted == own, "!=": wanted != own, beyond: wanted == other, beyond + "=": True}
    return fits.get(operator, False)


def _ordered(found: str | float, operator: str, wanted: str | float) -> bool:
    """Compare two values of the same type; texts by their bytes, as in Go."""
    left, right = (
        v.encode("utf-8", "surrogatepass") if isinstance(v, str) else v for v in (found, wanted)
    )
    return operator in _COMPARE and _COMPARE[operator](left, right)


def _number(text: str) -> float:
    """Read a number; a text that is not a number counts as 0, as in Go."""
    try:
        return float(text)
    except ValueError:
        return 0.0
