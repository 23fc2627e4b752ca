"""The command line to write next, made from the line that the user has written."""

from __future__ import annotations

from collections.abc import Sequence

from api.types import ObjectiveType
from trialwatch.tuning.candidates import direction_of
from trialwatch.tuning.command import Command, command_line
from trialwatch.tuning.guess import Guess

_END = "--"
_FLAGS = {ObjectiveType.MINIMIZE: "--minimize", ObjectiveType.MAXIMIZE: "--maximize"}


def line_with_metric(words: Sequence[str], metric: str, guess: Guess | None = None) -> str:
    """Return the line with this metric as its objective.

    Args:
        words: the words of the line, without `trialwatch`.
        metric: the name of the metric.
        guess: the parameters to add, and the command with places for them; None keeps the command.
    """
    end = words.index(_END) if _END in words else len(words)
    flags = _without_objective(words[1:end])
    flag = _FLAGS.get(direction_of(metric)) or _flag_in(words[1:end])
    program = tuple(words[end:])
    if guess is not None:
        flags += [f"--param={parameter.name}={parameter.space}" for parameter in guess.parameters]
        program = (_END, *command_words(guess.command))
    flags = [part for flag in flags for part in _param_apart(flag)]
    return command_line(("trialwatch", words[0], flag, metric, *flags, *program))


def command_words(command: Command) -> tuple[str, ...]:
    """Return a command as words: its variables, then the program."""
    return (*(f"{name}={value}" for name, value in command.variables), *command.words)


def _param_apart(flag: str) -> tuple[str, ...]:
    name, equals, value = flag.partition("=")
    return (name, value) if equals and name == "--param" else (flag,)


def _flag_in(flags: Sequence[str]) -> str:
    """Return the direction that the user has chosen; maximize if there is none."""
    minimize = any(flag.partition("=")[0] == "--minimize" for flag in flags)
    return _FLAGS[ObjectiveType.MINIMIZE if minimize else ObjectiveType.MAXIMIZE]


def _without_objective(flags: Sequence[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for flag in flags:
        if skip:
            skip = False
        elif flag in ("--maximize", "--minimize"):
            skip = True
        elif not flag.startswith(("--maximize=", "--minimize=")):
            kept.append(flag)
    return kept
