"""The commands of `trialwatch`, and the parser of all of them."""

from __future__ import annotations

import importlib
import re
from types import ModuleType
from typing import IO, Final

from trialwatch.command_line.arguments import CommandParser, ShowVersion
from trialwatch.command_line.plugin import OWN_NAME, PLUGIN

COMMANDS: Final = {
    "tune": "tune the parameters of your own program on this machine",
    "init": "write a commented experiment.yaml for your own program",
    "run": "run an experiment on this machine, or continue it",
    "validate": "check the files of experiments, and start nothing",
    "get": "show experiments, trials and suggestions of this machine or of a cluster",
    "logs": "print the log of a trial's container",
    "ui": "show experiments in a browser, live",
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
_OWN_LINE = re.compile(rf"(?<!kubectl )\b{OWN_NAME} (?=(?:{'|'.join(COMMANDS)}|COMMAND)\b)")


def module_of(command: str) -> ModuleType:
    """Import the module of a command; it has `add_arguments`, `run`, and `EXAMPLES`."""
    return importlib.import_module(f"trialwatch.commands.{command}")


class _PluginParser(CommandParser):
    """A parser whose help and errors show the command lines of the plugin."""

    def _print_message(self, message: str, file: IO[str] | None = None) -> None:  # type: ignore[override]  # typeshed has a protocol for the file
        super()._print_message(_OWN_LINE.sub(f"{PLUGIN} ", message), file)


def command_parser(*chosen: str, prog: str = OWN_NAME) -> CommandParser:
    """Return the parser; only the chosen commands are imported, so that help is quick.

    `prog` is what a user writes before the command: the name of the program, or of the plugin.
    """
    kind = _PluginParser if prog == PLUGIN else CommandParser
    parser = kind(prog=prog, description=_DESCRIPTION, epilog=_EPILOG)
    parser.set_defaults(prog=prog)
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
