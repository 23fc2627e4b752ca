"""The check of `trialwatch run` before its first trial: are the commands on this machine?"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from api.errors import Fault, UserError
from api.objects.experiments import parse_experiment
from api.objects.validation_update import completed
from runner.commands.container_commands import Host
from runner.commands.experiment_commands import experiment_command_faults
from runner.commands.local_files import LocalFiles
from runner.experiments import LoadedExperiment
from runner.state.directory import StateDirectory
from runner.state.documents import read_document


def this_host() -> Host:
    """Return this machine, as the trials of a run would get it."""
    return Host(environ=os.environ, cwd=str(Path.cwd()), files=LocalFiles())


def check_commands(given: LoadedExperiment, state: StateDirectory, *, fresh: bool) -> None:
    """Print warnings, and refuse commands that cannot start; a stored result needs no command.

    Raises:
        UserError: a program, a script or a working directory is not on this machine.
    """
    if not fresh and _has_result(state):
        return
    found = experiment_command_faults(given, this_host())
    _warn(found.warnings)
    if found.faults:
        lines = "\n".join(str(fault) for fault in found.faults)
        raise UserError(f"{lines}\nTo run the trials without this check, add --no-check.")


def warn_of_commands(given: LoadedExperiment) -> None:
    """Print as warnings what `check_commands` would refuse."""
    found = experiment_command_faults(given, this_host())
    _warn((*found.warnings, *found.faults))


def _warn(faults: Sequence[Fault]) -> None:
    for fault in faults:
        print(f"trialwatch run: warning: {fault}", file=sys.stderr)


def _has_result(state: StateDirectory) -> bool:
    """Return whether the stored experiment has ended with an optimal trial."""
    document = read_document(state.experiment)
    if document is None:
        return False
    stored = parse_experiment(document, unknown_fields=False)
    return completed(stored) and stored.status.optimal_trial is not None
