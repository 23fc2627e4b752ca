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
from typing import TYPE_CHECKING

from api.errors import SpecError, UserError
from runner.experiments import LoadedExperiment, checked
from trialwatch.program_check import check_program
from trialwatch.program_words import split_program
from trialwatch.run import add_run_arguments, check_run_arguments, run_loaded
from trialwatch.tune_arguments import add_tune_arguments, read_request
from trialwatch.tuning.command import read_command
from trialwatch.tuning.experiment import build_experiment
from trialwatch.tuning.options import in_flags
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
    """Run the search; return the exit status."""
    check_run_arguments(arguments)
    request = read_request(arguments, read_command(arguments.program))
    faults = misfits(request.command, request.spaces, has_file=request.metrics_file is not None)
    if faults:
        raise UserError("\n".join(faults))
    check_program(request.command, os.environ)
    return run_loaded(_experiment(request), arguments)


def _experiment(request: TuningRequest) -> LoadedExperiment:
    try:
        return checked(build_experiment(request))
    except SpecError as error:
        raise UserError(in_flags(error.faults, tuple(request.spaces))) from None
