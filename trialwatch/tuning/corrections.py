"""Faults of a tuning line that say how the line should be, so that a user can type it.

A change takes the words of a line (`tune --param lr=1..2 -- ./train {lr}`) and returns others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from api.errors import UserError
from trialwatch.tuning.command import command_line

Words: TypeAlias = tuple[str, ...]
Change: TypeAlias = Callable[[Words], Words]
END: Final = "--"
"""The word before the program."""
_PARAM: Final = "--param"


class LineError(UserError):
    """A line is wrong, and `changes` correct it; without changes, only the message helps."""

    def __init__(self, message: str, *changes: Change) -> None:
        """Take what is wrong, and the changes after which the line is right."""
        super().__init__(message)
        self.changes = changes

    def with_line(self, words: Sequence[str]) -> str:
        """Return the message, and the line to type in place of `words` (without `trialwatch`)."""
        corrected = tuple(words)
        for change in self.changes:
            corrected = change(corrected)
        if corrected == tuple(words):
            return str(self)
        return f"{self}\nthe whole line:\n  {command_line(('trialwatch', *corrected))}"


def together(errors: Iterable[LineError]) -> LineError:
    """Return one error for several, with the changes of all if each of them has some."""
    errors = tuple(errors)
    complete = all(error.changes for error in errors)
    changes = [change for error in errors for change in error.changes] if complete else []
    return LineError("\n".join(map(str, errors)), *changes)


def param_instead(given: str, text: str) -> Change:
    """Return the change of `--param GIVEN`, as one word or two, to `--param TEXT`.

    `given` is the whole text, or the name with its `=`.
    """

    def change(words: Words) -> Words:
        end = _end(words)
        flags = list(words[:end])
        for index in _params(flags, given):
            before = f"{_PARAM}=" if flags[index].startswith(f"{_PARAM}=") else ""
            flags[index] = before + text
        return (*flags, *words[end:])

    return change


def param_added(text: str) -> Change:
    """Return the change that adds `--param TEXT`."""

    def change(words: Words) -> Words:
        end = _end(words)
        return (*words[:end], _PARAM, text, *words[end:])

    return change


def param_left_out(given: str) -> Change:
    """Return the change that leaves the last `--param GIVEN` out; see `param_instead`."""

    def change(words: Words) -> Words:
        end = _end(words)
        places = _params(words[:end], given)
        if not places:
            return words
        last = places[-1]
        begin = last if words[last].startswith(f"{_PARAM}=") else last - 1
        return (*words[:begin], *words[last + 1 :])

    return change


def program_instead(change_program: Change) -> Change:
    """Return the change of the words behind `--`."""

    def change(words: Words) -> Words:
        end = _end(words)
        return (*words[:end], END, *change_program(words[end + 1 :]))

    return change


def _params(flags: Sequence[str], given: str) -> list[int]:
    """Return the indexes of the words that hold the text of `--param GIVEN`."""
    texts = {
        index: word.removeprefix(f"{_PARAM}=")
        for index, word in enumerate(flags)
        if word.startswith(f"{_PARAM}=") or flags[index - 1] == _PARAM
    }
    by_name = given.endswith("=")
    return [i for i, text in texts.items() if text == given or (by_name and text.startswith(given))]


def _end(words: Words) -> int:
    return words.index(END) if END in words else len(words)
