"""The commands of `trialwatch`, and the parser of all of them."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Final

from trialwatch.command_line.arguments import CommandParser, ShowVersion

COMMANDS: Final = {
    "tune": "tune the parameters of your own program on this machine",
    "init": "write a commented experiment.yaml for your own program",
    "run": "run an experiment on this machine, or continue it",
    "validate": "check the files of experiments, and start nothing",
    "get": "show experiments, trials and suggestions of this machine or of a cluster",
    "logs": "print the log of a trial's container",
    "plot": "write an HTML report of an experiment, with plots",
    "delete": "delete an experiment with its trials, metrics and logs",
    "extract": "show which metrics would be collected from a log",
    "inject": "show how the webhook would change a pod or a job",
    "explain": "explain the webhook's decision on a pod in the cluster, and what to do",
    "migrate": "take over a cluster from Katib step by step, or go back to Katib",
    "completion": "print the completion of this command line for a shell",
}

_DESCRIPTION = "trialwatch tunes any program that prints its metrics."
_EPILOG = """\
examples:
    trialwatch tune --param lr=0.001..0.1:log -- python3 train.py --lr={lr}
    trialwatch run experiment.yaml          run an experiment on this machine
    trialwatch COMMAND --help               show the flags of a command
"""


def module_of(command: str) -> ModuleType:
    """Import the module of a command; it has `add_arguments`, `run`, and `EXAMPLES`."""
    return importlib.import_module(f"trialwatch.commands.{command}")


def command_parser(*chosen: str) -> CommandParser:
    """Return the parser; only the chosen commands are imported, so that help is quick."""
    parser = CommandParser(prog="trialwatch", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument(
        "--version", action=ShowVersion, nargs=0, help="print the version of trialwatch"
    )
    parser._positionals.title = "commands"  # noqa: SLF001 - a group of their own would come last
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, sentence in COMMANDS.items():
        if name in chosen:
            command = module_of(name)
            command.add_arguments(
                commands.add_parser(
                    name, help=sentence, description=command.__doc__, epilog=command.EXAMPLES
                )
            )
        else:
            commands.add_parser(name, help=sentence)
    return parser


def whole_parser() -> CommandParser:
    """Return the parser with the arguments of all commands."""
    return command_parser(*COMMANDS)
