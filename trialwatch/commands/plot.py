"""Write a report of an experiment: the history of the search, and parameters with their results.

The report is one HTML file that needs no network. `trialwatch run` writes it at its end; this
command writes it again, also while the experiment runs, and for an experiment in a cluster.
Standard output is the path of the file. Exit status: 0, or 2 if the experiment does not exist.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import UserError
from api.objects.experiments import parse_experiment
from api.objects.trials import parse_trial
from api.types import JsonObject
from controller.reconcile.trial_order import in_order
from trialwatch.sources.documents import name_of, namespace_of
from trialwatch.sources.source import Source, nothing_called
from trialwatch.sources.source_choice import add_source, source_of
from trialwatch.view.report import report
from ui.model.experiment_summary import ExperimentSummary, summary_of

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
examples:
    trialwatch plot random
    trialwatch plot random -o report.html --context staging
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "experiment",
        nargs="?",
        default="",
        metavar="EXPERIMENT",
        help="the experiment's name; optional if there is only one experiment",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="the file to write (default: report.html beside the objects on this machine, or"
        " EXPERIMENT.html in the current directory for a cluster)",
    )
    add_source(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the report; return the exit status."""
    source = source_of(arguments)
    experiment = _chosen(source, arguments.experiment)
    place: Path = arguments.output or source.report_of(experiment)
    try:
        place.write_text(report(_summary(source, experiment)), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write {place}: {error.strerror}; choose another file with -o"
        ) from None
    print(place)
    return 0


def _chosen(source: Source, name: str) -> JsonObject:
    """Return the experiment.

    Raises:
        UserError: no experiment has this name, or several match.
    """
    found = source.objects("experiments", name)
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"-n {namespace_of(one)} {name_of(one)}" for one in found)
        raise UserError(f"there are several experiments {source.where}; choose one: {listed}")
    if name:
        raise nothing_called(source, "experiments", name)
    raise UserError(f"there are no experiments {source.where}; {source.makes}")


def _summary(source: Source, experiment: JsonObject) -> ExperimentSummary:
    trials = (parse_trial(one, unknown_fields=False) for one in source.trials_of(experiment))
    return summary_of(
        parse_experiment(experiment, unknown_fields=False),
        in_order(tuple(trials)),
        {},
        datetime.now(UTC),
    )
