"""Points of a search space as users write them: `lr=0.1,layers=3; lr=0.01`, or as a list in JSON.

In the plain form, `;` or a line end separates points, and `,` separates values. A value that has
one of these characters needs JSON: `[{"lr": 0.1, "optimizer": "adam,w"}]`. A point may leave out
parameters: then the search chooses their values.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from api.errors import UserError
from api.faults import nearest, quoted
from api.types import Assignment, ParameterSpec, ParameterType

Point = tuple[Assignment, ...]

MOST_POINTS = 1000
_LONGEST_NUMBER = 80
_LISTED = 10
"""The most values of a list that a message has."""
_SEPARATOR = re.compile(r"[;\n]")


def parse_points(text: str) -> tuple[Point, ...]:
    """Read the points of a text; the values are as written.

    Raises:
        UserError: the text has another form, no point, or too many.
    """
    points = tuple(_from_json(text) if text.lstrip().startswith("[") else _from_words(text))
    if not points:
        raise UserError("has no point; write one, such as lr=0.1,layers=3")
    if len(points) > MOST_POINTS:
        raise UserError(f"has {len(points)} points; write at most {MOST_POINTS}")
    return points


def _from_words(text: str) -> Iterator[Point]:
    for number, words in enumerate(filter(str.strip, _SEPARATOR.split(text)), 1):
        pairs = [word.partition("=") for word in words.split(",") if word.strip()]
        wrong = next((name for name, equals, _ in pairs if not equals), None)
        if wrong is not None:
            why = f"point {number}: {quoted(wrong.strip())} has no value"
            raise UserError(f"{why}; write NAME=VALUE,NAME=VALUE, such as lr=0.1,layers=3")
        yield _unique(number, [(name.strip(), value.strip()) for name, _, value in pairs])


def _from_json(text: str) -> Iterator[Point]:
    try:
        # Numbers stay as written: 0.10 does not become 0.1.
        items = json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise UserError('is not JSON; write a list such as [{"lr": 0.1, "layers": 3}]') from None
    for number, item in enumerate(items, 1):
        if not isinstance(item, _Pairs) or not all(isinstance(v, str) for _, v in item):
            why = f"point {number}: is not a mapping of names to numbers or texts"
            raise UserError(f'{why}; write one such as {{"lr": 0.1, "optimizer": "adam"}}')
        yield _unique(number, item)


class _Pairs(list[tuple[str, Any]]):
    """A mapping in JSON, with names that occur twice."""


def _unique(number: int, pairs: Sequence[tuple[str, str]]) -> Point:
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise UserError(f"point {number}: has {quoted(name)} twice; delete one of them")
        values[name] = value
    return tuple(Assignment(name=name, value=value) for name, value in values.items())


def within(parameters: Sequence[ParameterSpec], point: Point) -> Point:
    """Return a point with each value as a search writes it: `3` for the int `3.0`.

    Raises:
        UserError: a parameter is unknown, or a value is not in its space.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    return tuple(
        Assignment(name=one.name, value=_value(by_name, one.name, one.value)) for one in point
    )


def _value(by_name: Mapping[str, ParameterSpec], name: str, text: str) -> str:
    parameter = by_name.get(name)
    if parameter is None:
        hint = nearest(name, by_name) or f"; write one of {', '.join(by_name)[:200]}"
        raise UserError(f"no parameter has the name {quoted(name)}{hint}")
    if parameter.type in (ParameterType.CATEGORICAL, ParameterType.DISCRETE):
        return _listed(parameter, text)
    return _ranged(parameter, text)


def _listed(parameter: ParameterSpec, text: str) -> str:
    texts = parameter.space.list
    if text in texts:
        return text
    if parameter.type is ParameterType.DISCRETE and (number := _number(text)) is not None:
        same = next((one for one in texts if _number(one) == number), None)
        if same is not None:
            return same
    more = ", ..." if len(texts) > _LISTED else ""
    listed = ", ".join(one[:40] for one in texts[:_LISTED])
    why = f"{parameter.name}={quoted(text)} is not in the list of {parameter.name}"
    raise UserError(f"{why}; write one of {listed}{more}")


def _ranged(parameter: ParameterSpec, text: str) -> str:
    space, is_int = parameter.space, parameter.type is ParameterType.INT
    low, high, step = map(_number, (space.min, space.max, space.step))
    if low is None or high is None:  # the space itself has faults, which are reported
        return text
    number = _number(text)
    span = f"write {'a whole number' if is_int else 'a number'} from {space.min} to {space.max}"
    what = f"{parameter.name}={quoted(text)}"
    if number is None or (is_int and number.denominator != 1):
        raise UserError(f"{what} is not a {'whole ' if is_int else ''}number; {span}")
    if not low <= number <= high:
        raise UserError(f"{what} is outside of the range; {span}")
    if step and (number - low) % step:
        near = low + round((number - low) / step) * step
        near -= step if near > high else 0
        shown = str(int(near)) if near.denominator == 1 else repr(float(near))
        raise UserError(f"{what} is between two steps; the nearest one is {shown}")
    return str(int(number)) if is_int else text


def _number(text: str) -> Fraction | None:
    """Return a finite number; its exponent is bounded as that of a float is."""
    try:
        number = float(text) if len(text) <= _LONGEST_NUMBER else math.nan
    except ValueError:
        return None
    return Fraction(repr(number)) if math.isfinite(number) else None
