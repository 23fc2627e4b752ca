"""`trialwatch COMMAND ...`, also as `python -m trialwatch`."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from trialwatch import own_packages  # noqa: F401 - finds all that is imported below

# isort: split

from api.errors import RemoteError, TrialwatchError
from trialwatch.command_line.parser import COMMANDS, command_parser, module_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 128 + signal.SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 (success), 1 (failure), 2 (bad input) or 130 (interrupted)."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = words[0] if words and words[0] in COMMANDS else None
    command = module_of(chosen) if chosen else None
    parser = command_parser(*([chosen] if chosen else []))
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
        print(f"trialwatch {chosen}: {error}", file=sys.stderr)
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
