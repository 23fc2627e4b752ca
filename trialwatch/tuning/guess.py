"""Guess the parameters of a command that has values: `python train.py --lr 0.1 --opt adam`.

| value | parameter |
|---|---|
| `--lr 0.1`, `lr=0.1`, `LR=0.1` before the program | a range around the number |
| a rate or a very small number | a logarithmic range over two orders of magnitude |
| `--batch-size 32` | 16, 32, 64 |
| `--dropout 0.2` | a part of 0 to 1 |
| `--opt adam` | a list with this word, to which the user adds others |
| `--nesterov true` | true and false |
| `--epochs 10`, `--seed 1`, a path | none: it says how to train, not what |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from api.types import FeasibleSpace, ParameterType
from trialwatch.tuning.command import PARAMETER_NAME, Command
from trialwatch.tuning.number_texts import is_number, look_whole
from trialwatch.tuning.space import Space, list_space, read_space
from trialwatch.tuning.vocabulary import (
    HOW_TO_TRAIN,
    OPTIMIZERS,
    RATES,
    SHARES,
    SIZES,
    words_of,
)

_FLAG = re.compile(rf"(-{{1,2}}|\+{{0,2}})({PARAMETER_NAME})=(.+)", re.DOTALL)
_LONE_FLAG = re.compile(rf"-{{1,2}}({PARAMETER_NAME})")
_WORD = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessedParameter:
    """One value of a command that may become a parameter."""

    name: str
    value: str
    space: Space
    why: str
    """The reason for the space, as the end of a sentence."""

    @property
    def complete(self) -> bool:
        """Whether the space has several values; a list with one word has not."""
        return len(self.space.feasible.list) != 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A command with places, and the parameters for them."""

    command: Command
    parameters: tuple[GuessedParameter, ...]
    kept: tuple[str, ...] = ()
    """Flags whose values stay as they are."""


def guess_parameters(command: Command, *, lists: bool = True) -> Guess:
    """Return the command with a place for each value that looks like a parameter.

    `lists` says whether single words become lists with one value.
    """
    return _Guesser(command, lists=lists).guess()


def lone_flags(command: Command) -> tuple[str, ...]:
    """Return the flags without a value that may be tried both ways, such as `--nesterov`."""
    words = command.words
    return tuple(
        word
        for word, following in zip(words[1:], (*words[2:], "-"), strict=True)
        if word.startswith("--")
        and _LONE_FLAG.fullmatch(word)
        and following.startswith(("-", "{-"))
        and not set(words_of(word)) & HOW_TO_TRAIN
    )


class _Guesser:
    """Goes through the words once, from left to right."""

    def __init__(self, command: Command, *, lists: bool) -> None:
        self._command, self._lists = command, lists
        self._found: dict[str, GuessedParameter] = {}
        self._kept: list[str] = []

    def guess(self) -> Guess:
        command = self._command
        variables = tuple(
            (name, self._placed(name.lower(), value) or _literal(value))
            for name, value in command.variables
        )
        words = (command.words[0], *self._arguments(command.words[1:]))
        return Guess(
            command=Command(words=words, variables=variables),
            parameters=tuple(self._found.values()),
            kept=tuple(self._kept),
        )

    def _arguments(self, words: tuple[str, ...]) -> Iterator[str]:
        flag = ""
        for word in words:
            glued = _FLAG.fullmatch(word)
            lone = _LONE_FLAG.fullmatch(word)
            if glued:
                place = self._placed(glued[2], glued[3])
                yield f"{glued[1]}{glued[2]}={place}" if place else _literal(word)
            else:
                yield (flag and self._placed(flag, word)) or _literal(word)
            flag = lone[1] if lone else ""

    def _placed(self, flag: str, value: str) -> str:
        """Return the placeholder for a value, "" if the value stays."""
        guessed = guess_of(flag, value)
        if guessed is None or not (guessed.complete or self._lists):
            if is_number(value) or _WORD.fullmatch(value):
                self._kept.append(flag)
            return ""
        while guessed.name in self._found:
            guessed = replace(guessed, name=f"{guessed.name}-2")
        self._found[guessed.name] = guessed
        return f"{{{guessed.name}}}"


def _literal(word: str) -> str:
    """Escape what would be a placeholder."""
    return re.sub(rf"(?<!\$)\{{(-{{0,2}}{PARAMETER_NAME})\}}", r"{{\1}}", word)


# -- one value ------------------------------------------------------------------------------

_SMALL: Final = 0.01
"""A number below this is probably a rate."""


def guess_of(name: str, value: str) -> GuessedParameter | None:
    """Return the parameter that a flag and its value seem to be; None if the value stays."""
    words = set(words_of(name))
    if words & HOW_TO_TRAIN and not words & (RATES | SHARES):
        return None
    if value.lower() in ("true", "false"):
        texts = ("true", "false") if value.islower() else ("True", "False")
        return GuessedParameter(name=name, value=value, space=list_space(texts), why="yes or no")
    if is_number(value):
        text, why = _range_around(words, value)
        return GuessedParameter(name=name, value=value, space=read_space(text), why=why)
    if not _WORD.fullmatch(value):
        return None
    space = Space(type=ParameterType.CATEGORICAL, feasible=FeasibleSpace(list=(value,)))
    return GuessedParameter(name=name, value=value, space=space, why="add the other words to try")


def usual_space(name: str) -> str:
    """Return a space for a parameter of which only the name is known, as `--param` writes it."""
    words = set(words_of(name))
    for known, text in ((RATES, "0.001..0.1:log"), (SHARES, "0.1..0.9"), (SIZES, "16,32,64")):
        if words & known:
            return text
    return "adam,sgd" if words & OPTIMIZERS else "2..5"


def _range_around(words: set[str], value: str) -> tuple[str, str]:
    number = float(value)
    for applies, text, why in _RULES:
        if applies(words, number, look_whole(value)):
            return text(number), why.format(value)
    return _text(number / 2, number * 2), _HALF_TO_TWICE.format(value)


def _text(low: float, high: float, option: str = "") -> str:
    """Write a range whose bounds are not both whole."""
    low, high = sorted((low, high))
    kind = ":float" if look_whole(f"{low:g}", f"{high:g}") else ""
    return f"{low:.6g}..{high:.6g}{kind}{option}"


def _whole_around(number: float) -> str:
    low, high = int(number) // 2, int(number) * 2
    return f"{max(low, 1)}..{max(high, 2)}"


def _sizes_around(number: float) -> str:
    return ",".join(f"{size:d}" for size in (int(number) // 2, int(number), int(number) * 2))


_HALF_TO_TWICE: Final = "from half of {0} to twice {0}"
_Rule = tuple[Callable[[set[str], float, bool], bool], Callable[[float], str], str]
_RULES: Final[tuple[_Rule, ...]] = (
    # when a rule applies (words of the name, the number, whether it is whole), its space, and why
    # with {0} for the value
    (
        lambda words, number, whole: number > 0 and not whole and bool(words & RATES),
        lambda number: _text(number / 10, number * 10, ":log"),
        "a rate, so from a tenth of {0} to ten times {0}",
    ),
    (
        lambda words, number, _: 0 <= number <= 1 and bool(words & SHARES),
        lambda number: _text(number / 2, (1 + number) / 2),
        "a share, so a part of 0 to 1 around {0}",
    ),
    (
        lambda words, number, whole: whole and number >= 2 and bool(words & SIZES),  # noqa: PLR2004
        _sizes_around,
        "a size, so half of {0}, {0}, and twice {0}",
    ),
    (lambda _, number, whole: whole and number > 0, _whole_around, _HALF_TO_TWICE),
    (
        lambda _, number, __: 0 < number < _SMALL,
        lambda number: _text(number / 10, number * 10, ":log"),
        "small, so from a tenth of {0} to ten times {0}",
    ),
    (lambda _, number, __: number == 0, lambda _: "0.0..1.0", "from 0 to 1"),
)
