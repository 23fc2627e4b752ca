"""`trialwatch COMMAND ...`, also as `python -m trialwatch` and as `kubectl trialwatch`."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from trialwatch import own_packages  # noqa: F401 - finds all that is imported below

# isort: split

from api.errors import RemoteError, TrialwatchError
from trialwatch.command_line.parser import COMMANDS, command_parser, module_of
from trialwatch.command_line.plugin import OWN_NAME, PLUGIN, command_first

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 128 + signal.SIGINT


def plugin() -> int:
    """Run one command of `kubectl trialwatch`; return as `main` does."""
    return main(command_first(sys.argv[1:], COMMANDS), prog=PLUGIN)


def main(argv: Sequence[str] | None = None, *, prog: str = OWN_NAME) -> int:
    """Run one command; return 0 (success), 1 (failure), 2 (bad input) or 130 (interrupted).

    `prog` is what the user writes before the command.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = words[0] if words and words[0] in COMMANDS else None
    command = module_of(chosen) if chosen else None
    parser = command_parser(*([chosen] if chosen else []), prog=prog)
    if not words:
        parser.print_help(sys.stderr)
        return 2
    written, program = tuple(words), ()
    try:
        if command is not None and hasattr(command, "split"):
            words, program = command.split(words)
        arguments = parser.parse_args(words)
        arguments.words, arguments.program = written, program
        status: int = module_of(arguments.command).run(arguments)
    except TrialwatchError as error:
        print(f"{prog} {chosen}: {error}", file=sys.stderr)
        return 1 if isinstance(error, RemoteError) else 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader (`head`, `less`) has closed the pipe. Nothing more may be written, not even by
        # the interpreter's flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return status


if __name__ == "__main__":
    sys.exit(main())
