"""Write experiment.yaml for your own program, with comments.

Numbers and words of the program's flags become parameters: a range around a number, a list with a
word. Comments marked CHECK say what is guessed. The file runs as it is: trialwatch run FILE.

Exit status: 0 the file is written, 2 bad input.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import SpecError, UserError
from api.types import AlgorithmSpec, Objective, ObjectiveType
from runner.experiments import checked
from trialwatch.own_program.experiment_file import write_experiment
from trialwatch.own_program.program_check import check_program
from trialwatch.own_program.program_words import split_program
from trialwatch.tuning.command import Command, command_line, read_command
from trialwatch.tuning.corrections import LineError
from trialwatch.tuning.experiment import build_experiment, name_of, usual_algorithm
from trialwatch.tuning.explained import FileNotes
from trialwatch.tuning.guess import Guess, GuessedParameter, guess_parameters
from trialwatch.tuning.options import in_flags
from trialwatch.tuning.request import TRIALS, TuningRequest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

EXAMPLES = """\
examples:
    trialwatch init -- python3 train.py --lr 0.1 --opt adam
    trialwatch init --maximize accuracy --save tune.yaml -- ./train --lr=0.1
"""
_USUAL_FILE = Path("experiment.yaml")
_USUAL_METRIC = "loss"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.usage = "trialwatch init [FLAG ...] -- PROGRAM [ARG ...]"
    parser.add_argument("--maximize", metavar="METRIC", help="the metric that should be large")
    parser.add_argument(
        "--minimize",
        metavar="METRIC",
        help=f"the metric that should be small (default {_USUAL_METRIC})",
    )
    parser.add_argument(
        "--save",
        type=Path,
        default=_USUAL_FILE,
        metavar="FILE",
        help="the file to write (default %(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    parser.add_argument(
        "--image", default="", metavar="IMAGE", help="the program's image, for a cluster"
    )
    parser.add_argument(
        "--name", default="", metavar="NAME", help="the experiment's name (default: the program's)"
    )


def split(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split the command line at `--`; return the words of `init` and of the program."""
    return split_program(words, add_arguments)


def run(arguments: argparse.Namespace) -> int:
    """Write the file; return the exit status."""
    command = read_command(arguments.program)
    try:
        check_program(command, os.environ)
    except LineError as error:
        raise UserError(error.with_line(arguments.words)) from None
    guess = guess_parameters(command)
    line = command_line(arguments.program)
    if not guess.parameters:
        raise UserError(_nothing_to_tune(command, line))
    experiment = build_experiment(_request(arguments, guess))
    try:
        checked(experiment)
    except SpecError as error:
        names = [parameter.name for parameter in guess.parameters]
        raise UserError(in_flags(error.faults, names)) from None
    notes = FileNotes(
        file=str(arguments.save),
        command=line,
        image=arguments.image,
        guessed_metric=not (arguments.maximize or arguments.minimize),
        parameters={one.name: _why(one) for one in guess.parameters},
        kept=guess.kept,
    )
    write_experiment(arguments.save, experiment, notes, force=arguments.force)
    print(*_report(arguments.save, guess, notes), sep="\n")
    return 0


def _request(arguments: argparse.Namespace, guess: Guess) -> TuningRequest:
    if arguments.maximize and arguments.minimize:
        raise UserError(
            f"one metric decides: keep --maximize {arguments.maximize} or --minimize"
            f" {arguments.minimize}"
        )
    spaces = {one.name: one.space for one in guess.parameters}
    kind = ObjectiveType.MAXIMIZE if arguments.maximize else ObjectiveType.MINIMIZE
    metric = arguments.maximize or arguments.minimize or _USUAL_METRIC
    return TuningRequest(
        command=guess.command,
        spaces=spaces,
        objective=Objective(type=kind, metric=metric),
        algorithm=AlgorithmSpec(name=usual_algorithm(spaces, TRIALS)),
        name=arguments.name or name_of(guess.command),
        image=arguments.image,
    )


def _why(guessed: GuessedParameter) -> str:
    return f"{guessed.name} was {guessed.value}; {guessed.why}."


def _nothing_to_tune(command: Command, line: str) -> str:
    if command.placeholders:
        return (
            "init takes a command with values, such as --lr 0.1 in the place of {lr}; for a command"
            f" with places, write\n  trialwatch tune --save experiment.yaml"
            f" --maximize METRIC --param NAME=SPACE -- {line}"
        )
    return (
        "the command has no value that looks like a parameter: write its flags with their values,"
        f" such as\n  trialwatch init -- {line} --lr 0.1"
    )


def _report(file: Path, guess: Guess, notes: FileNotes) -> list[str]:
    lines = [f"wrote {file} with {len(guess.parameters)} parameters:"]
    width = max(len(one.name) for one in guess.parameters)
    lines += [f"  {one.name.ljust(width)}  {one.space}" for one in guess.parameters]
    if notes.guessed_metric:
        lines += [
            f"it minimizes {_USUAL_METRIC}; this shows what the program prints:",
            f"  trialwatch tune -- {notes.command}",
        ]
    return [*lines, f"check the lines with CHECK in {file}, then write", f"  trialwatch run {file}"]
