"""The settings of an algorithm, of a search or of early stopping: how to read and check them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.errors import Fault, SpecError
from api.faults import invalid, nearest
from api.types import Setting

LARGEST_WHOLE = 1_000_000
"""Of a setting that is a whole number and has no smaller bound: as many trials as may be."""
LONGEST_TEXT = 253
"""Characters of a setting that is a text."""
MOST_SETTINGS = 100
"""Of one algorithm; an experiment with more is a mistake."""

Values = Mapping[str, Any]
"""Settings by name; `Rule.read` has converted each from its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One setting: how to read its text, and which values are allowed."""

    name: str
    read: Callable[[str], Any]
    """Converts the text; raises ValueError if it cannot."""
    write: str
    """The remedy in messages, such as `a whole number`."""
    holds: Callable[[Any], bool] = lambda _: True
    """Returns whether a value is allowed."""
    why: str = ""
    """The message if `holds` returns false; {} stands for the text of the setting."""
    most: int | None = None
    """The largest value of a number; None: `holds` bounds it, or it is a word."""
    unreadable: str = ""
    """The message if `read` cannot read the text, which {} stands for; "": the usual one."""

    def value(self, text: str) -> Any:  # noqa: ANN401 - each setting has its own type
        """Read the text.

        Raises:
            ValueError: the text cannot be read, or the value is not allowed; the message says what
                to write.
        """
        short = text[:40]
        try:
            value = self.read(text)
        except ValueError:
            why = self.unreadable.replace("{}", short) or f"failed to validate {self.name}({short})"
            joint = ";" if self.unreadable else ":"
            raise ValueError(f"{why}{joint} write {self.write}") from None
        if not self.holds(value):
            raise ValueError(f"{self.why.replace('{}', short)}; write {self.write}")
        if self.most is not None and value > self.most:
            raise ValueError(f"{self.name} must be at most {self.most}; write {self.write}")
        return value


def read_values(
    algorithm: str,
    rules: Sequence[Rule],
    settings: Sequence[Setting],
    path: str,
    *,
    unknown: str = "",
) -> Values:
    """Read settings by their rules; if a name occurs twice, the last setting counts.

    `unknown` is the message for a setting without a rule, by default the usual one.

    Raises:
        SpecError: the faults of all settings, each with its path below `path`.
    """
    if len(settings) > MOST_SETTINGS:
        why = f"must have at most {MOST_SETTINGS} settings; remove those that occur twice"
        raise SpecError((invalid(path, len(settings), why),))
    by_name = {rule.name: rule for rule in rules}
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for index, setting in enumerate(settings):
        rule = by_name.get(setting.name)
        if rule is None:
            name = setting.name[:40]
            why = unknown.replace("{}", name) or f"unknown setting {name} for algorithm {algorithm}"
            faults.append(_unknown(f"{path}[{index}].name", setting.name, why, by_name))
            continue
        try:
            values[setting.name] = rule.value(setting.value)
        except ValueError as error:
            faults.append(invalid(f"{path}[{index}].value", setting.value, str(error)))
    if faults:
        raise SpecError(tuple(faults))
    return values


def _unknown(path: str, setting: str, why: str, known: Iterable[str]) -> Fault:
    near = nearest(setting, known) or f"; known are {', '.join(known)}"
    return invalid(path, setting, f"{why}{near}")


def whole(name: str, *, least: int, most: int = LARGEST_WHOLE, why: str) -> Rule:
    """Return the rule of a setting that is a whole number from `least` to `most`."""
    return Rule(
        name=name,
        read=int,
        write=f"a whole number from {least} to {most}",
        holds=lambda number: bool(number >= least),
        why=why,
        most=most,
    )


def text_setting(name: str, write: str) -> Rule:
    """Return the rule of a setting that is a text of one line, such as a name or a path."""
    return Rule(
        name=name,
        read=str,
        write=f"{write}, at most {LONGEST_TEXT} characters",
        holds=lambda text: 0 < len(text) <= LONGEST_TEXT and text.isprintable(),
        why=f"{name} must be a text of one line",
    )


def one_of(name: str, words: Sequence[str], why: str, read: Callable[[str], str] = str) -> Rule:
    """Return the rule of a setting that is one of some words; {} in `why` stands for the text."""
    return Rule(
        name=name,
        read=read,
        write=f"one of {', '.join(words)}",
        holds=lambda word: word in words,
        why=why,
    )


def number(name: str, *, least: float, most: float, why: str) -> Rule:
    """Return the rule of a setting that is a finite number from `least` to `most`."""
    return Rule(
        name=name,
        read=float,
        write=f"a number from {least:g} to {most:g}",
        holds=lambda value: bool(least <= value <= most),
        why=why,
    )
