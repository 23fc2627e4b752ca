"""Texts that are not a space: what is wrong, and the space that is probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from api.errors import UserError
from trialwatch.tuning.number_texts import NUMBER, is_number, look_whole


class SpaceError(UserError):
    """A text or a value is not a space."""

    def __init__(self, why: str, *instead: str) -> None:
        """Take what is wrong, and the texts of spaces that are probably meant."""
        self.why, self.instead = why, instead
        super().__init__(f"{why}: write {' or '.join(instead)}" if instead else why)


_IN_BRACKETS = re.compile(r"([\w.]*)[\[({]([^\[\](){}]*)[\])}]")
_TWO_NUMBERS = re.compile(rf"\s*({NUMBER})\s*,\s*({NUMBER})\s*")
_THREE_DOTS = re.compile(r"(.*?[^.]?)(?:\.{3,}|…)(.*)")
_OTHER_RANGE = re.compile(rf"({NUMBER})\s*(?:-|:|to|~|\.\.)\s*({NUMBER}(?::[a-z].*)?)")


def mistake_in(text: str) -> SpaceError | None:
    """Return why a text that is not a range is not a list either; None if it may be a list."""
    brackets = _IN_BRACKETS.fullmatch(text)
    if brackets:
        return _brackets(brackets[1], brackets[2])
    if "," in text:
        return None
    if not text:
        return SpaceError("the space is empty", "0.001..0.1:log", "2..5", "adam,sgd")
    dots = _THREE_DOTS.fullmatch(text) or _OTHER_RANGE.fullmatch(text)
    if dots:
        return SpaceError("a range has two dots", f"{dots[1]}..{dots[2]}")
    if ".." in text:
        return _wrong_bound(text)
    return SpaceError(f"{text!r} is only one value", *_around(text))


def unknown_option(bounds: str, option: str, known: Iterable[str]) -> SpaceError:
    """Return why an option behind a range's bounds is wrong."""
    if is_number(option):
        return SpaceError(f"{option!r} is not an option of a range", f"{bounds}:step={option}")
    listed = ", ".join(f":{name}" for name in (*known, "step=NUMBER"))
    why = f"{option!r} is not an option of a range (options are {listed})"
    return SpaceError(why, f"{bounds}:log")


def _wrong_bound(text: str) -> SpaceError:
    low, _, high = text.partition(":")[0].partition("..")
    wrong = next((part for part in (low, high) if part and not is_number(part)), None)
    why = f"a bound of {text!r} is missing" if wrong is None else f"{wrong!r} is not a number"
    return SpaceError(why, *_completed(low, high))


def _brackets(function: str, inner: str) -> SpaceError:
    why = "a space has no brackets"
    numbers = _TWO_NUMBERS.fullmatch(inner)
    if not numbers:
        return SpaceError(why, inner.replace(" ", "") or "adam,sgd")
    bounds = f"{numbers[1]}..{numbers[2]}"
    if function:
        return SpaceError(why, f"{bounds}:log" if "log" in function else bounds)
    return SpaceError(why, bounds, f"{numbers[1]},{numbers[2]}")


def _completed(low: str, high: str) -> tuple[str, ...]:
    """Return a range from the bound that is a number."""
    if is_number(low):
        return (f"{low}..{_times(low, 10)}",)
    if is_number(high):
        return (f"{_times(high, 0.1)}..{high}",)
    return ("0.001..0.1",)


def _around(text: str) -> tuple[str, ...]:
    """Return spaces around a single value."""
    if not is_number(text):
        return (f"{text},ANOTHER",)
    if look_whole(text):
        number = int(text)
        return (f"{min(1, number)}..{max(abs(number), 1) * 2}", f"{number},{number * 2 or 1}")
    number_range = f"{_times(text, 0.1)}..{_times(text, 10)}"
    return (f"{number_range}:log" if float(text) > 0 else "0.1..1.0", f"{text},{_times(text, 2)}")


def _times(text: str, factor: float) -> str:
    product = float(text) * factor or 1.0
    return f"{product:.6g}"
