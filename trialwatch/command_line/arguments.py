"""The parser of the command line: argparse, with errors that say what to write instead.

    trialwatch run --paralel 3 e.yaml
    usage: trialwatch run [-h] [--parallel N] ... EXPERIMENT.yaml
    trialwatch run: unknown flag --paralel; did you mean "--parallel"?

argparse itself reports an unknown flag of a command with the usage of `trialwatch`, after it has
reported other faults, and without a hint.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from api.faults import nearest, visible
from api.metric_values import finite

_MEANT = {
    "apply": "run",
    "check": "validate",
    "create": "run",
    "describe": "get",
    "help": "--help",
    "lint": "validate",
    "list": "get",
    "ls": "get",
    "report": "plot",
    "show": "get",
    "start": "run",
    "status": "get",
    "version": "--version",
}
"""Words of other programs, and what they are here."""
_WIDEST = 100
"""The most columns of a help text; a narrower terminal counts."""


class CommandParser(argparse.ArgumentParser):
    """A parser of `trialwatch` or of one of its commands; `add_parser` makes the latter."""

    def __init__(self, **keywords: Any) -> None:  # noqa: ANN401 - those of argparse
        """Take the arguments of `argparse.ArgumentParser`."""
        super().__init__(**{"formatter_class": _HelpFormatter, **keywords})

    def parse_known_args(  # type: ignore[override]  # argparse has overloads for namespaces
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse all arguments; an unknown one is an error of this parser, not of its parent."""
        words = list(sys.argv[1:] if args is None else args)
        for word in self._flags_in(words):
            self._check_flag(word)
        found, unknown = super().parse_known_args(words, namespace)
        for word in unknown:
            if word.startswith("-") and word != "-":
                self._refuse_flag(word)
        if unknown:
            self.error(f"unexpected argument {_shown(unknown[0])}; delete it")
        return found, []

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit with status 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401
        """Refuse an unknown command, or a value that is not one of the choices."""
        if action.choices is None or value in action.choices:
            return
        choices = list(action.choices)
        if not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - its only name
            super()._check_value(action, value)
        hint = nearest(str(value), choices) or f"; the commands are {', '.join(choices)}"
        if value in _MEANT:
            hint = f'; did you mean "{self.prog} {_MEANT[value]}"?'
        if Path(str(value)).suffix in (".yaml", ".yml"):
            hint = f'; did you mean "{self.prog} run {visible(str(value))}"?'
        self.error(f"unknown command {_shown(str(value))}{hint}")

    def _flags_in(self, words: Sequence[str]) -> list[str]:
        """Return the long flags that this parser itself must know."""
        if any(action.nargs == argparse.REMAINDER for action in self._actions):
            return []
        end = words.index("--") if "--" in words else len(words)
        if self._subparsers is not None:
            commands = (i for i, word in enumerate(words) if not word.startswith("-"))
            end = min(end, next(commands, end))
        return [word for word in words[:end] if word.startswith("--")]

    def _check_flag(self, word: str) -> None:
        name = word.partition("=")[0]
        if not any(known.startswith(name) for known in self._option_string_actions):
            self._refuse_flag(word)

    def _refuse_flag(self, word: str) -> NoReturn:
        name = word.partition("=")[0]
        known = [flag for flag in self._option_string_actions if flag.startswith("--")]
        self.error(f"unknown flag {visible(name)}{nearest(name, known)}")


def whole_number(text: str) -> int:
    """Read the value of a flag that is a number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{_shown(text)} is not a whole number; write digits"
        ) from None


def real_number(text: str) -> float:
    """Read the value of a flag that may have a fraction."""
    number = finite(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a number; write digits, as 0.95")
    return number


class ShowVersion(argparse.Action):
    """`--version`: prints the version of the installed package."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: object) -> NoReturn:
        """Print it and exit with status 0."""
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - takes time

        try:
            number = version("trialwatch")
        except PackageNotFoundError:
            number = "(not installed)"
        print(f"trialwatch {number}")
        parser.exit(0)


class _HelpFormatter(argparse.HelpFormatter):
    """Fills paragraphs to the width of the terminal; a paragraph with indented lines stays."""

    def __init__(self, prog: str) -> None:
        columns = min(_WIDEST, shutil.get_terminal_size().columns)
        super().__init__(prog, width=columns - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            textwrap.indent(_filled(paragraph, width - len(indent)), indent)
            for paragraph in text.strip().split("\n\n")
        )

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


def _filled(paragraph: str, width: int) -> str:
    if any(line.startswith(" ") for line in paragraph.splitlines()):
        return paragraph.rstrip()
    return textwrap.fill(" ".join(paragraph.split()), width, break_on_hyphens=False)


def _shown(word: str) -> str:
    return f"'{visible(word)}'"
