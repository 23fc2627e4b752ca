"""The words of a program on the command line: `trialwatch tune FLAGS -- PROGRAM ARGUMENTS`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from api.errors import UserError
from trialwatch.tuning.command import command_line

AddArguments = Callable[[argparse.ArgumentParser], None]


def split_program(
    words: Sequence[str], add_arguments: AddArguments
) -> tuple[list[str], tuple[str, ...]]:
    """Split a command line at the first `--`; return the words of trialwatch and of the program.

    Args:
        words: all words, the name of the command first.
        add_arguments: declares the command's flags.

    Raises:
        UserError: the words contain a program, but no `--` before it.
    """
    if "--" in words:
        end = list(words).index("--")
        _check_param(words, end, add_arguments)
        return list(words[:end]), tuple(words[end + 1 :])
    start = _first_free(words[1:], add_arguments)
    if start is None:
        return list(words), ()
    line = command_line(("trialwatch", *words[: start + 1], "--", *words[start + 1 :]))
    raise UserError(f"-- is missing before the program {words[start + 1]!r}: write\n  {line}")


def _check_param(words: Sequence[str], end: int, add_arguments: AddArguments) -> None:
    """Refuse `--param NAME SPACE` without the `=`, before the `--` at `end`."""
    free = _first_free(words[1:end], add_arguments)
    if free is None:
        return
    place = free + 1  # of the space
    if words[max(place - 2, 1)] == "--param" and "=" not in words[place - 1]:
        name, space = words[place - 1], words[place]
        right = (*words[: place - 1], f"{name}={space}", *words[place + 1 :])
        raise UserError(
            f"--param {name} {space}: the = is missing: write --param {name}={space}\n"
            f"the whole line:\n  {command_line(('trialwatch', *right))}"
        )


def _first_free(words: Sequence[str], add_arguments: AddArguments) -> int | None:
    """Return the index of the first word that is neither a flag nor its value, or None."""
    parser = argparse.ArgumentParser(add_help=True)
    add_arguments(parser)
    takes_value = {
        flag: action.nargs not in (0, "?")
        for action in parser._actions  # noqa: SLF001 - argparse has no other way
        for flag in action.option_strings
    }
    index = 0
    while index < len(words):
        flag, equals, _ = words[index].partition("=")
        if not flag.startswith("-"):
            return index
        if flag not in takes_value:
            return None  # the parser reports it
        index += 2 if takes_value[flag] and not equals else 1
    return None
