"""A command with places for parameters: `LR={lr} python train.py --layers={layers}`.

| text | meaning |
|---|---|
| `{lr}` | the value of the parameter `lr`; a name has letters, digits, `_`, `-`, `.` |
| `{{lr}}` | the text `{lr}` itself |
| `${lr}` | unchanged: a shell's variable |
| `{"a": 1}`, `{a,b}`, `{}` | unchanged: not a name |
| `{--amp}` | the flag `--amp` if the parameter `amp` is `on`, nothing if it is `off` |
| `{params.json}`, `{params.yaml}` | the path of a file with all parameters |
| `NAME=value` before the program | a variable of the environment, as in a shell |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from api.errors import UserError

PARAMS_JSON: Final = "params.json"
PARAMS_YAML: Final = "params.yaml"
FILE: Final = "file"
"""`{file}` is the path of the file with the metrics, if the user names one."""
ON: Final = "on"
OFF: Final = "off"
"""The values of the parameter of a switch."""
PARAMETER_NAME: Final = r"[A-Za-z_][\w.-]*"
_NAME = PARAMETER_NAME
_PLACE = re.compile(rf"\$\{{{_NAME}\}}|\{{\{{(-{{0,2}}{_NAME})\}}\}}|\{{({_NAME})\}}")
_SWITCH = re.compile(rf"(?<!\{{)\{{(-{{1,2}}({_NAME}))\}}")
_VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)

Fill = Callable[[str], str]
"""Returns what replaces the placeholder with a name."""
FillSwitch = Callable[[str, str], tuple[str, ...]]
"""Returns the words in the place of a switch, from its flag and its parameter's value."""


def switch_words(flag: str, value: str) -> tuple[str, ...]:
    """Return the flag if the value is `on`, else nothing."""
    return (flag,) if value == ON else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program with its arguments, and the variables of its environment."""

    words: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The name of each placeholder, once, in the order of the text."""
        names: list[str] = []
        for text in (*(value for _, value in self.variables), *self.words):
            switch = _SWITCH.fullmatch(text)
            names += [switch[2]] if switch else [found[2] for found in _PLACE.finditer(text)]
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def switches(self) -> tuple[str, ...]:
        """The name of each switch: `amp` for a word `{--amp}`."""
        found = (_SWITCH.fullmatch(word) for word in self.words)
        return tuple(dict.fromkeys(switch[2] for switch in found if switch))

    @property
    def joined_switch(self) -> str:
        """The flag of a switch that is only a part of a word, such as `--amp`; "" if none is."""
        texts = [value for _, value in self.variables]
        texts += [word for word in self.words if not _SWITCH.fullmatch(word)]
        return next((found[1] for text in texts for found in _SWITCH.finditer(text)), "")

    def filled(self, fill: Fill, literal: Fill = str, switch: FillSwitch = switch_words) -> Command:
        """Return the command with a text in the place of each placeholder.

        Args:
            fill: returns the text for a name.
            literal: converts each text between placeholders.
            switch: returns the words for a switch.
        """
        words: list[str] = []
        for word in self.words:
            found = _SWITCH.fullmatch(word)
            words += switch(found[1], fill(found[2])) if found else [_filled(word, fill, literal)]
        return Command(
            words=tuple(words),
            variables=tuple((name, _filled(text, fill, literal)) for name, text in self.variables),
        )


def read_command(words: Sequence[str]) -> Command:
    """Read a command; words `NAME=value` before the program are its variables.

    Raises:
        UserError: the program is missing.
    """
    variables: list[tuple[str, str]] = []
    for index, word in enumerate(words):
        found = _VARIABLE.fullmatch(word)
        if _SWITCH.fullmatch(word):
            break
        if not found:
            return Command(words=tuple(words[index:]), variables=tuple(variables))
        variables.append((found[1], found[2]))
    raise UserError(
        "the program is missing: write it behind --, for example -- python train.py --lr={lr}"
    )


def command_line(words: Iterable[str]) -> str:
    """Return words as a line for a shell."""
    return " ".join(map(_quoted, words))


_SAFE = re.compile(rf"(?:[\w@%+=:,./-]|\{{-{{0,2}}{PARAMETER_NAME}\}})+", re.ASCII)


def _quoted(word: str) -> str:
    if _SAFE.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _filled(text: str, fill: Fill, literal: Fill) -> str:
    parts, plain, end = [], "", 0
    for found in _PLACE.finditer(text):
        plain += text[end : found.start()]
        end = found.end()
        if found[2]:
            parts += [literal(plain), fill(found[2])]
            plain = ""
        else:
            plain += f"{{{found[1]}}}" if found[1] else found[0]
    return "".join((*parts, literal(plain + text[end:])))
