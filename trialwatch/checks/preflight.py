"""The check of `trialwatch run` before its first trial: are the commands on this machine?"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from api.errors import Fault, UserError
from api.objects.experiments import parse_experiment
from api.objects.validation_update import completed
from runner.commands.container_commands import CommandFaults, Host
from runner.commands.experiment_commands import experiment_command_faults
from runner.commands.local_files import LocalFiles
from runner.experiments import LoadedExperiment
from runner.state.directory import StateDirectory
from runner.state.documents import read_document


def this_host() -> Host:
    """Return this machine, as the trials of a run would get it."""
    return Host(environ=os.environ, cwd=str(Path.cwd()), files=LocalFiles())


def refuse(faults: Sequence[Fault], commands: CommandFaults) -> None:
    """Print warnings, and refuse all faults at once: those of the commands first.

    A missing script is the most frequent one.

    Raises:
        UserError: there are faults.
    """
    _warn(commands.warnings)
    lines = [str(fault) for fault in (*commands.faults, *faults)]
    if commands.faults and not faults:
        lines.append("To run the trials without this check, add --no-check.")
    if lines:
        raise UserError("\n".join(lines))


def command_faults(given: LoadedExperiment, state: StateDirectory, *, fresh: bool) -> CommandFaults:
    """Return which commands cannot start here; a stored result needs no command."""
    if not fresh and _has_result(state):
        return CommandFaults()
    return experiment_command_faults(given, this_host())


def warn_of_commands(given: LoadedExperiment) -> None:
    """Print as warnings which commands cannot start here."""
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
