"""Tune the parameters of your own program on this machine, without a file.

{NAME} in the program's arguments is the place of the parameter NAME. A SPACE is a range (2..5,
0.001..0.1:log, 16..256:step=16) or a list (adam,sgd). The metric is found in the program's output
by its name, in the usual formats of trainers. The same command continues an interrupted search,
and more --trials extend it.

Without --maximize or --minimize, the program runs once; then the metrics of its output are shown,
and the command to write next.

Exit status: 0 succeeded, 1 experiment failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from api.errors import SpecError, UserError
from api.objects.enqueued import with_enqueue
from api.objects.experiments import parse_experiment
from api.objects.yamltext import load_objects
from api.types import Experiment
from runner.experiments import LoadedExperiment, checked
from runner.state.directory import StateDirectory, state_of
from trialwatch.commands.run import add_run_arguments, check_run_arguments, run_loaded
from trialwatch.own_program.experiment_file import write_experiment
from trialwatch.own_program.first_look import first_look
from trialwatch.own_program.first_metrics import FirstMetrics
from trialwatch.own_program.program_check import changed_script, program_faults
from trialwatch.own_program.program_words import split_program
from trialwatch.own_program.tune_arguments import add_tune_arguments, read_request
from trialwatch.screens.screen import OpenScreen, terminal_screen
from trialwatch.tuning.command import Command, command_line, read_command
from trialwatch.tuning.corrections import LineError, together
from trialwatch.tuning.doubts import doubts_about, endless_grid
from trialwatch.tuning.experiment import build_experiment
from trialwatch.tuning.explained import FileNotes
from trialwatch.tuning.guess import guess_parameters
from trialwatch.tuning.next_line import line_with_metric
from trialwatch.tuning.next_steps import next_steps
from trialwatch.tuning.options import in_flags, with_flags
from trialwatch.tuning.placeholders import misfits
from trialwatch.tuning.request import TuningRequest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

EXAMPLES = """\
examples:
    trialwatch tune --maximize acc --param lr=1e-4..1:log -- ./train {lr}
    trialwatch tune --param layers=2..5 -- LAYERS={layers} ./train.sh
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_tune_arguments(parser)
    add_run_arguments(parser)


def split(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split the command line at `--`; return the words of `tune` and of the program."""
    return split_program(words, add_arguments)


def run(arguments: argparse.Namespace) -> int:
    """Run the search, or take a first look at the program; return the exit status."""
    try:
        request = checked_request(arguments)
    except LineError as error:
        raise UserError(error.with_line(arguments.words)) from None
    if not request.objective.metric:
        if arguments.save:
            raise UserError("--save needs --maximize METRIC or --minimize METRIC")
        return first_look(request, arguments)
    if not request.spaces:
        raise UserError(_without_parameters(arguments, request.command))
    return _save(request, arguments) if arguments.save else _search(request, arguments)


def checked_request(arguments: argparse.Namespace) -> TuningRequest:
    """Return what the arguments ask for, if its program can start here.

    Raises:
        LineError: an argument is wrong, or the command does not fit the parameters.
        UserError: the same, if no other line is better.
    """
    check_run_arguments(arguments)
    command = read_command(arguments.program)
    request = read_request(arguments, command)
    has_file = request.metrics_file is not None
    faults = [*misfits(command, request.spaces, has_file=has_file), *endless_grid(request)]
    if not (arguments.save and arguments.image):
        faults[:0] = program_faults(command, os.environ)
    if faults:
        raise together(faults)
    return request


def _save(request: TuningRequest, arguments: argparse.Namespace) -> int:
    experiment = with_enqueue(build_experiment(request), arguments.enqueue)
    _checked(experiment, request)
    line = command_line(arguments.program)
    notes = FileNotes(file=str(arguments.save), command=line, image=request.image)
    write_experiment(arguments.save, experiment, notes, force=arguments.force)
    print(f"wrote {arguments.save}; run it with", f"  trialwatch run {arguments.save}", sep="\n")
    if request.image:
        print("or on a cluster", f"  kubectl apply -f {arguments.save}", sep="\n")
    else:
        print("for a cluster, write the same line with --image IMAGE")
    return 0


def _search(request: TuningRequest, arguments: argparse.Namespace) -> int:
    status, state = search(request, arguments)
    if status == 0 and arguments.output == "text":
        [stored] = load_objects(state.experiment.read_text(encoding="utf-8"))
        last = parse_experiment(stored, unknown_fields=False)
        print("", *next_steps(last, request.command, request.trials), sep="\n")
    return status


def search(
    request: TuningRequest,
    arguments: argparse.Namespace,
    open_screen: OpenScreen = terminal_screen,
) -> tuple[int, StateDirectory]:
    """Run the search that is asked for, or continue it.

    Args:
        request: what the arguments ask for.
        arguments: those of the command line.
        open_screen: returns what shows the run.

    Returns:
        The exit status, and the directory of the experiment.

    Raises:
        UserError: the search cannot start or continue; names flags, not fields.
    """
    experiment = with_enqueue(build_experiment(request), arguments.enqueue)
    given = _checked(experiment, request)
    metadata = given.experiment.metadata
    state = state_of(arguments.state_dir, metadata.namespace, metadata.name)
    for doubt in (*doubts_about(request), *changed_script(request.command, state)):
        print(f"trialwatch tune: note: {doubt}", file=sys.stderr)
    check = FirstMetrics(state, arguments.words)
    again = ("trialwatch", *arguments.words)
    try:
        return run_loaded(given, arguments, again, check, open_screen), state
    except UserError as error:
        raise UserError(with_flags(str(error))) from None


def _without_parameters(arguments: argparse.Namespace, command: Command) -> str:
    guess = guess_parameters(command, lists=False)
    if not guess.parameters:
        return (
            "no parameter is given: write {NAME} where a value belongs in the command, and"
            " --param NAME=SPACE, such as --param lr=0.001..0.1:log"
        )
    line = line_with_metric(arguments.words, arguments.maximize or arguments.minimize, guess)
    return f"no parameter is given: correct the spaces in this line, and write\n  {line}"


def _checked(experiment: Experiment, request: TuningRequest) -> LoadedExperiment:
    try:
        return checked(experiment)
    except SpecError as error:
        raise UserError(in_flags(error.faults, tuple(request.spaces))) from None
