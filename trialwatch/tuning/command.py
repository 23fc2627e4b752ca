"""A command with places for parameters: `LR={lr} python train.py --layers={layers}`.

| text | meaning |
|---|---|
| `{lr}` | the value of the parameter `lr`; a name has letters, digits, `_`, `-`, `.` |
| `{{lr}}` | the text `{lr}` itself |
| `${lr}` | unchanged: a shell's variable |
| `{"a": 1}`, `{a,b}`, `{}` | unchanged: not a name |
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
PARAMETER_NAME: Final = r"[A-Za-z_][\w.-]*"
_NAME = PARAMETER_NAME
_PLACE = re.compile(rf"\$\{{{_NAME}\}}|\{{\{{({_NAME})\}}\}}|\{{({_NAME})\}}")
_VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)

Fill = Callable[[str], str]
"""Returns what replaces the placeholder with a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program with its arguments, and the variables of its environment."""

    words: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The name of each placeholder, once, in the order of the text."""
        texts = (*(value for _, value in self.variables), *self.words)
        names = (found[2] for text in texts for found in _PLACE.finditer(text))
        return tuple(dict.fromkeys(name for name in names if name))

    def filled(self, fill: Fill, literal: Fill = str) -> Command:
        """Return the command with a text in the place of each placeholder.

        Args:
            fill: returns the text for a name.
            literal: converts each text between placeholders.
        """
        return Command(
            words=tuple(_filled(word, fill, literal) for word in self.words),
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
        if not found:
            return Command(words=tuple(words[index:]), variables=tuple(variables))
        variables.append((found[1], found[2]))
    raise UserError(
        "the program is missing: write it behind --, for example -- python train.py --lr={lr}"
    )


def command_line(words: Iterable[str]) -> str:
    """Return words as a line for a shell."""
    return " ".join(map(_quoted, words))


_SAFE = re.compile(rf"(?:[\w@%+=:,./-]|\{{{PARAMETER_NAME}\}})+", re.ASCII)


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
