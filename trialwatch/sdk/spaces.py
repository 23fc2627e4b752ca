"""The space of a parameter in Python, as the text that `--param NAME=SPACE` reads.

| in Python | on the command line | values |
|---|---|---|
| `"0.001..0.1:log"` | the same | as on the command line |
| `(0.001, 0.1)`, `(2, 5)` | `0.001..0.1`, `2..5` | numbers; both ends belong to the range |
| `range(16, 257, 16)` | `16..256:step=16` | whole numbers, as Python's range |
| `["adam", "sgd"]`, `[16, 32]` | `adam,sgd`, `16,32` | one of these |
| `Float(1e-3, 0.1, log=True)`, `Int(1, 9)` | `0.001..0.1:log`, `1..9` | numbers |

A trial gets each value as a text. A `Decoder` says which Python value it is.
"""

from __future__ import annotations

import json
import numbers
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from trialwatch.sdk.errors import TuneError

Value: TypeAlias = str | int | float | bool | None
"""The value of a parameter."""


@dataclass(frozen=True, slots=True)
class Float:
    """The numbers from `low` to `high`, both included.

    Args:
        low: the smallest number.
        high: the largest number.
        log: whether each order of magnitude is as likely as another.
        step: the distance between two values; None if each number is a value.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None


@dataclass(frozen=True, slots=True)
class Int:
    """The whole numbers from `low` to `high`, both included.

    Args:
        low: the smallest number.
        high: the largest number.
        log: whether each order of magnitude is as likely as another.
        step: the distance between two values.
    """

    low: int
    high: int
    log: bool = False
    step: int = 1


Space: TypeAlias = "str | Float | Int | range | tuple[float, float] | Sequence[Value]"
"""What a user may write for a parameter."""

INT: Final = "int"
FLOAT: Final = "float"
AS_WRITTEN: Final = "as written"
"""A number if the text is a number, else the text."""
Decoder: TypeAlias = "str | Mapping[str, Value]"
"""One of the three words above, or each text with its value."""

_WHOLE = re.compile(r"[+-]?[0-9]+\.\.[+-]?[0-9]+(?::(?:log|int|normal|lognormal|step=[0-9]+))*")
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*")
_ENDS = 2


def check_space(space: Mapping[str, Space]) -> None:
    """Check that each value is a space.

    Raises:
        TuneError: one is not; says what to write.
    """
    if not isinstance(space, Mapping):
        raise TuneError(
            f'the space {space!r} is not a dict: write one such as {{"lr": (0.001, 0.1)}}'
        )
    for name, one in space.items():
        space_text(name, one)


def space_text(name: str, space: Space) -> str:
    """Return the text of a space.

    Raises:
        TuneError: the value is not a space; says what to write.
    """
    match space:
        case str():
            return space
        case Float():
            return _range(name, repr(float(space.low)), repr(float(space.high)), space)
        case Int():
            return _range(name, _whole(name, space.low), _whole(name, space.high), space)
        case range():
            if not space:
                raise TuneError(f"space[{name!r}]: {space} has no value: write range(1, 9)")
            low, high = sorted((space[0], space[-1]))
            return space_text(name, Int(low, high, step=abs(space.step)))
        case tuple():
            return _ends(name, space)
        case Sequence():
            return ",".join(_entry(name, value) for value in space)
    raise TuneError(
        f"space[{name!r}]: {space!r} is not a space: write a text such as '0.001..0.1:log', a tuple"
        " (0.001, 0.1) for a range, or a list ['adam', 'sgd']"
    )


def decoder_of(space: Space) -> Decoder:
    """Return how the texts of a space's values become Python values."""
    match space:
        case str() if ".." in space:
            return INT if _WHOLE.fullmatch(space) else FLOAT
        case str():
            return AS_WRITTEN
        case Int() | range():
            return INT
        case Float():
            return FLOAT
        case tuple():
            return INT if all(_is_whole(end) for end in space) else FLOAT
        case _:
            return {value_text(value): value for value in space}


def decoded(text: str, decoder: Decoder) -> Value:
    """Return the Python value of a text."""
    if decoder == INT:
        return int(text)
    if decoder == FLOAT:
        return float(text)
    if isinstance(decoder, Mapping) and text in decoder:
        return decoder[text]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def value_text(value: Value) -> str:
    """Return the text of a value, as a trial gets it; true and false as in JSON and YAML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _ends(name: str, ends: Sequence[object]) -> str:
    if len(ends) != _ENDS or not all(_is_number(end) for end in ends):
        raise TuneError(
            f"space[{name!r}]: a tuple is a range, (LOW, HIGH), and {ends!r} is not: for a choice,"
            f" write the list {list(ends)!r}; for a logarithmic range, trialwatch.Float(LOW, HIGH,"
            " log=True)"
        )
    if all(_is_whole(end) for end in ends):
        return f"{ends[0]}..{ends[1]}"
    low, high = (repr(float(str(end))) for end in ends)
    return f"{low}..{high}"


def _range(name: str, low: str, high: str, space: Float | Int) -> str:
    text = f"{low}..{high}"
    if space.log:
        text += ":log"
    if space.step is None or (isinstance(space, Int) and space.step == 1):
        return text
    step = _whole(name, space.step) if isinstance(space, Int) else repr(float(space.step))
    return f"{text}:step={step}"


def _whole(name: str, number: object) -> str:
    if not _is_whole(number):
        raise TuneError(
            f"space[{name!r}]: {number!r} is not a whole number: write trialwatch.Float for numbers"
            " with a fraction"
        )
    return str(number)


def _entry(name: str, value: object) -> str:
    if value is not None and not isinstance(value, str | numbers.Real):
        raise TuneError(
            f"space[{name!r}]: {value!r} cannot be a value of a parameter: use texts, numbers,"
            " True, False and None, and choose the object inside of the training"
        )
    text = value_text(value)  # type: ignore[arg-type]  # a number of NumPy has the text of a number
    if not isinstance(value, str) or _PLAIN.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
