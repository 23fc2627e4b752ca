"""Print the completion of this command line for a shell: commands, flags, files and fixed words.

The output is a script that the shell reads once; a key press starts no program. Print it again
after an update of trialwatch. For bash, write this line into ~/.bashrc:

    eval "$(trialwatch completion bash)"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shtab

from trialwatch.command_line.parser import COMMANDS, command_parser, whole_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

EXAMPLES = """\
examples:
    trialwatch completion zsh > ~/.zfunc/_trialwatch
    trialwatch completion fish > ~/.config/fish/completions/trialwatch.fish
"""
SHELLS = ("bash", "zsh", "fish")
_FILES = ("FILE", "PATH", "EXPERIMENT.yaml")
_WORDS = re.compile(r"\w+(\|\w+)+")
_PATTERN = "REGEX"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that may stand at the end of a command line."""

    word: str
    description: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("shell", choices=SHELLS, metavar="|".join(SHELLS), help="your shell")


def run(arguments: argparse.Namespace) -> int:
    """Print the script; return the exit status."""
    print(script(arguments.shell))
    return 0


def script(shell: str) -> str:
    """Return the script for a shell."""
    parser = whole_parser()
    for action in _actions(parser):
        _describe(action)
    return shtab.complete(parser, shell)


def candidates(words: Sequence[str]) -> list[Candidate] | None:
    """Return what the last word may become; None: the name of a file.

    `words` are those after `trialwatch`; the last one is perhaps empty.
    """
    *before, last = words
    if not before or before[0] not in COMMANDS:
        offered = [Candidate(name, sentence) for name, sentence in COMMANDS.items()]
        return _beginning(last, [] if before else offered)
    (command,) = (
        action.choices[before[0]]
        for action in command_parser(before[0])._actions  # noqa: SLF001 - the same
        if isinstance(action.choices, dict)
    )
    return _of_command(command, before[1:], last)


def _of_command(
    parser: argparse.ArgumentParser, before: Sequence[str], last: str
) -> list[Candidate] | None:
    flags = parser._option_string_actions  # noqa: SLF001 - the same
    named = flags.get(before[-1]) if before else None
    if named is not None and named.nargs != 0:
        return _values(named, last)
    if last.startswith("-"):
        offered = [Candidate(flag, str(action.help or "")) for flag, action in flags.items()]
        return _beginning(last, offered)
    nth = sum(1 for word in _without_flags(parser, before))
    arguments = parser._get_positional_actions()  # noqa: SLF001 - the same
    return _values(arguments[nth], last) if nth < len(arguments) else []


def _without_flags(parser: argparse.ArgumentParser, words: Sequence[str]) -> Iterator[str]:
    """Yield the words that are neither flags nor their values."""
    flags, is_value = parser._option_string_actions, False  # noqa: SLF001 - the same
    for word in words:
        if not is_value and not word.startswith("-"):
            yield word
        is_value = not is_value and word in flags and flags[word].nargs != 0


def _values(action: argparse.Action, last: str) -> list[Candidate] | None:
    _describe(action)
    if getattr(action, "complete", None) is not None:
        return None
    return _beginning(last, [Candidate(str(word)) for word in action.choices or ()])


def _beginning(last: str, offered: Iterable[Candidate]) -> list[Candidate]:
    return [candidate for candidate in offered if candidate.word.startswith(last)]


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its commands."""
    for action in parser._actions:  # noqa: SLF001 - shtab reads it too
        yield action
        if isinstance(action.choices, dict):
            for command in action.choices.values():
                yield from _actions(command)


def _describe(action: argparse.Action) -> None:
    """Tell shtab what the value of an argument is; its metavar says so to users."""
    metavar = str(action.metavar)
    if metavar == "DIR":
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # shtab reads it
    elif metavar in _FILES:
        action.complete = shtab.FILE  # type: ignore[attr-defined]  # the same
    elif _WORDS.fullmatch(metavar):
        action.choices = [word for word in metavar.split("|") if word != _PATTERN]
