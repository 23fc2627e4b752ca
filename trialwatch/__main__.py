"""`trialwatch COMMAND ...`, also as `python -m trialwatch`."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from trialwatch import own_packages  # noqa: F401 - finds all that is imported below

# isort: split

from api.errors import RemoteError, TrialwatchError
from trialwatch.arguments import CommandParser, ShowVersion

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from types import ModuleType

_COMMANDS = {
    "tune": "tune the parameters of your own program on this machine",
    "init": "write a commented experiment.yaml for your own program",
    "extract": "show which metrics would be collected from a log",
    "inject": "show how the webhook would change a pod or a job",
    "explain": "explain the webhook's decision on a pod in the cluster, and what to do",
    "run": "run an experiment on this machine, or continue it",
    "get": "show experiments, trials and suggestions of this machine or of a cluster",
    "logs": "print the log of a trial's container",
    "plot": "write an HTML report of an experiment, with plots",
}

_DESCRIPTION = "trialwatch tunes any program that prints its metrics."
_EPILOG = """\
examples:
    trialwatch tune --param lr=0.001..0.1:log -- python3 train.py --lr={lr}
    trialwatch run experiment.yaml          run an experiment on this machine
    trialwatch COMMAND --help               show the flags of a command
"""
_INTERRUPTED = 128 + signal.SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 (success), 1 (failure), 2 (bad input) or 130 (interrupted)."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = words[0] if words and words[0] in _COMMANDS else None
    command = importlib.import_module(f"trialwatch.{chosen}") if chosen else None
    parser = _parser(command)
    if not words:
        parser.print_help(sys.stderr)
        return 2
    written, program = tuple(words), ()
    try:
        if command is not None and hasattr(command, "split"):
            words, program = command.split(words)
        arguments = parser.parse_args(words)
        arguments.words, arguments.program = written, program
        status: int = importlib.import_module(f"trialwatch.{arguments.command}").run(arguments)
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


def _parser(command: ModuleType | None) -> argparse.ArgumentParser:
    """Return the parser; only the chosen command is imported, so that help is quick."""
    parser = CommandParser(prog="trialwatch", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument(
        "--version", action=ShowVersion, nargs=0, help="print the version of trialwatch"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, sentence in _COMMANDS.items():
        if command is not None and command.__name__ == f"trialwatch.{name}":
            command.add_arguments(
                commands.add_parser(
                    name, help=sentence, description=command.__doc__, epilog=command.EXAMPLES
                )
            )
        else:
            commands.add_parser(name, help=sentence)
    return parser


if __name__ == "__main__":
    sys.exit(main())
