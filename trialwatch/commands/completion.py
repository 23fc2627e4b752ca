"""Print the completion of this command line for a shell: commands, flags, files and fixed words.

The output is a script that the shell reads once; a key press starts no program. Print it again
after an update of trialwatch. For bash, write this line into ~/.bashrc:

    eval "$(trialwatch completion bash)"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import shtab

from trialwatch.command_line.parser import whole_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

EXAMPLES = """\
examples:
    trialwatch completion zsh > ~/.zfunc/_trialwatch
    trialwatch completion fish > ~/.config/fish/completions/trialwatch.fish
"""
SHELLS = ("bash", "zsh", "fish")
_FILES = ("FILE", "PATH", "EXPERIMENT.yaml")
_WORDS = re.compile(r"\w+(\|\w+)+")
_PATTERN = "REGEX"


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
