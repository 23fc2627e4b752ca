"""The space of one parameter, as `--param NAME=SPACE` writes it.

| text | the space |
|---|---|
| `2..5` | whole numbers, because both bounds are whole numbers |
| `0.1..0.5`, `0..1:float` | numbers with a fraction |
| `0.001..0.1:log` | numbers whose logarithm is uniform; `:normal` and `:lognormal` also exist |
| `16..256:step=16` | 16, 32, 48, ... |
| `adam,sgd` | one of these words |
| `16,32,64` | one of these numbers |
| `"a,b",c` | an entry with a comma, in JSON's quotes |

`str` writes a space, and `read_space` reads it back as an equal value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from api.types import Distribution, FeasibleSpace, ParameterSpec, ParameterType
from trialwatch.tuning.list_text import LEAST_ENTRIES, at_least_two, entries_of, entry_text
from trialwatch.tuning.number_texts import NUMBER, is_number, look_whole
from trialwatch.tuning.space_mistakes import SpaceError, mistake_in, unknown_option

DISTRIBUTIONS: Final[Mapping[str, Distribution]] = MappingProxyType(
    {
        "log": Distribution.LOG_UNIFORM,
        "normal": Distribution.NORMAL,
        "lognormal": Distribution.LOG_NORMAL,
    }
)
_LOGARITHMIC = (Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL)
_RANGE = re.compile(rf"({NUMBER})\.\.({NUMBER})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The possible values of one parameter."""

    type: ParameterType
    feasible: FeasibleSpace

    def parameter(self, name: str) -> ParameterSpec:
        """Return the parameter with this name and this space."""
        return ParameterSpec(name=name, type=self.type, space=self.feasible)

    def __str__(self) -> str:
        """Return the text that `read_space` reads as this space."""
        feasible = self.feasible
        if feasible.list:
            return ",".join(map(entry_text, feasible.list))
        texts = [f"{feasible.min}..{feasible.max}"]
        if self.type is ParameterType.DOUBLE and look_whole(
            feasible.min, feasible.max, feasible.step
        ):
            texts.append("float")
        texts += [name for name, kind in DISTRIBUTIONS.items() if kind is feasible.distribution]
        if feasible.step:
            texts.append(f"step={feasible.step}")
        return ":".join(texts)


def list_space(values: Sequence[str]) -> Space:
    """Return the space of some values: discrete if all are numbers, else categorical.

    Raises:
        SpaceError: there are fewer than two different values.
    """
    if len(values) < LEAST_ENTRIES:
        raise SpaceError("a list needs at least two values")
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        unique = [entry_text(value) for value in dict.fromkeys(values)]
        raise SpaceError(f"the list has {twice!r} twice", at_least_two(unique))
    numbers = all(is_number(value) for value in values)
    kind = ParameterType.DISCRETE if numbers else ParameterType.CATEGORICAL
    return Space(type=kind, feasible=FeasibleSpace(list=tuple(values)))


def range_space(
    low: str,
    high: str,
    *,
    step: str = "",
    distribution: Distribution = Distribution.UNSPECIFIED,
    whole: bool | None = None,
) -> Space:
    """Return the space of the numbers from `low` to `high`, both included.

    Args:
        low: the text of the smallest number.
        high: the text of the largest number.
        step: the text of the distance between two values; "" if each number is a value.
        distribution: how the range is sampled.
        whole: whether values are whole numbers; None: if the texts are whole numbers.

    Raises:
        SpaceError: the range is empty, or the texts do not fit.
    """
    for text in (low, high, *([step] if step else ())):
        if not is_number(text):
            raise SpaceError(f"{text!r} is not a number")
    if whole is None:
        whole = look_whole(low, high, step)
    texts = _whole_texts(low, high, step) if whole else (low, high, step)
    low, high, step = map(_with_zero, texts)
    space = Space(
        type=ParameterType.INT if whole else ParameterType.DOUBLE,
        feasible=FeasibleSpace(min=low, max=high, step=step, distribution=distribution),
    )
    _check_range(space)
    return space


def read_space(text: str) -> Space:
    """Read a space.

    Raises:
        SpaceError: the text is not a space; says which text is probably meant.
    """
    text = text.strip()
    bounds, *options = text.split(":")
    found = _RANGE.fullmatch(bounds)
    if found and "..." not in bounds:
        return _with_options(found[1], found[2], options)
    mistake = mistake_in(text)
    if mistake is not None:
        raise mistake
    return list_space(entries_of(text))


# -- ranges ---------------------------------------------------------------------------------


def _with_options(low: str, high: str, options: Sequence[str]) -> Space:
    step, distribution, whole = "", Distribution.UNSPECIFIED, None
    for option in options:
        name, _, value = option.strip().partition("=")
        if name == "step" and value:
            step = value
        elif option in DISTRIBUTIONS:
            distribution = DISTRIBUTIONS[option]
        elif option in ("int", "float"):
            whole = option == "int"
        else:
            raise unknown_option(f"{low}..{high}", option, (*DISTRIBUTIONS, "int", "float"))
    return range_space(low, high, step=step, distribution=distribution, whole=whole)


def _whole_texts(low: str, high: str, step: str) -> tuple[str, str, str]:
    """Write whole numbers with digits only."""
    numbers = [Fraction(text) for text in (low, high, *([step] if step else ()))]
    if all(number.denominator == 1 for number in numbers):
        texts = [str(int(number)) for number in numbers]
        return texts[0], texts[1], texts[2] if step else ""
    raise SpaceError(
        "with :int, bounds and step must be whole numbers",
        f"{math.ceil(numbers[0])}..{math.floor(numbers[1])}",
        f"{low}..{high}",
    )


def _with_zero(text: str) -> str:
    """Write `.5` as `0.5`: behind the dots of a range, `.5` has too many dots."""
    return re.sub(r"^(-?)\.", r"\g<1>0.", text.removeprefix("+"))


def _check_range(space: Space) -> None:
    feasible = space.feasible
    low, high = Fraction(feasible.min), Fraction(feasible.max)
    if low > high:
        swapped = str(space).replace(
            f"{feasible.min}..{feasible.max}", f"{feasible.max}..{feasible.min}"
        )
        raise SpaceError("the first bound is larger than the second", swapped)
    if low == high:
        raise SpaceError(
            f"both bounds are {feasible.min}, so there is only one value; put the value into the"
            " command, or write a wider range"
        )
    if feasible.distribution in _LOGARITHMIC and low <= 0:
        raise SpaceError(
            f"a logarithm needs bounds above 0, and {feasible.min} is not",
            *_without_zero(feasible, high),
        )
    _check_step(space, high - low)


def _without_zero(feasible: FeasibleSpace, high: Fraction) -> tuple[str, ...]:
    plain = f"{feasible.min}..{feasible.max}"
    if high <= 0:
        return (plain,)
    smallest = "1" if high > 1 else f"{float(high) / 1000:g}"
    return f"{smallest}..{feasible.max}:log", plain


def _check_step(space: Space, width: Fraction) -> None:
    feasible = space.feasible
    if not feasible.step:
        return
    step = Fraction(feasible.step)
    bounds = f"{feasible.min}..{feasible.max}"
    if step <= 0:
        raise SpaceError(f"the step {feasible.step} must be above 0", bounds)
    if step > width:
        raise SpaceError(
            f"the step {feasible.step} is wider than the range, so only {feasible.min} is left",
            bounds,
            f"{feasible.min},{feasible.max}",
        )
