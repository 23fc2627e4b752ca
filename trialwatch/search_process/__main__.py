"""The program: `PARENT DESCRIPTOR OUTPUT tune FLAGS -- PROGRAM`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from api.errors import TrialwatchError, UserError
from trialwatch.command_line.parser import command_parser
from trialwatch.commands.tune import checked_request, search, split
from trialwatch.screens.screen import OpenScreen, terminal_screen
from trialwatch.search_process.messages import Messages
from trialwatch.search_process.parent import end_with
from trialwatch.search_process.python_words import in_python
from trialwatch.search_process.screens import AnsweringScreen, line_screen, view_screen

_BAD_INPUT = 2
_INTERRUPTED = 128 + signal.SIGINT


def main(parent: int, descriptor: int, output: str, words: Sequence[str]) -> int:
    """Search, and answer on the descriptor; return the exit status of `trialwatch tune`."""
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - it has no keyword
    end_with(parent)
    with Messages(descriptor) as messages:
        try:
            return _search(words, _screens(output, messages))
        except TrialwatchError as error:
            messages.send("error", text=in_python(str(error), words))
            return _BAD_INPUT
        except KeyboardInterrupt:
            return _INTERRUPTED


def _search(words: Sequence[str], open_screen: OpenScreen) -> int:
    flags, program = split(words)
    arguments = command_parser("tune").parse_args(flags)
    arguments.words, arguments.program = tuple(words), program
    request = checked_request(arguments)
    if not request.spaces:
        raise UserError('the space is empty: name a parameter, such as {"lr": (0.001, 0.1)}')
    status, _ = search(request, arguments, open_screen)
    return status


def _screens(output: str, messages: Messages) -> OpenScreen:
    """Return what opens the screen for an OUTPUT."""
    inner = {"terminal": terminal_screen, "views": view_screen(messages)}
    chosen = inner.get(output, line_screen(messages))
    return lambda console: AnsweringScreen(chosen(console), messages)


if __name__ == "__main__":
    number, opened, shown, *rest = sys.argv[1:]
    sys.exit(main(int(number), int(opened), shown, rest))
