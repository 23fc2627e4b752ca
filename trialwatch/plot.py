"""Write the report of an experiment: how the search went on, and what led where.

It is one HTML file that needs no network. Each run on this machine writes one at its end; this
writes it anew, also while the experiment runs, and of an experiment in a cluster.
Standard output is the file's place. Exit status 0, or 2 where there is no such experiment.
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
from trialwatch.documents import name_of, namespace_of
from trialwatch.source import Source, nothing_called
from trialwatch.sources import add_source, source_of
from trialwatch.view.report import report
from trialwatch.view.standing import Standing, standing_of

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "experiment",
        nargs="?",
        default="",
        metavar="EXPERIMENT",
        help="its name; may be left out where there is but one",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="where to write it (report.html, beside the objects that are kept on this machine;"
        " EXPERIMENT.html in this directory, where it is in a cluster)",
    )
    add_source(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the report; return the exit status."""
    source = source_of(arguments)
    experiment = _chosen(source, arguments.experiment)
    place: Path = arguments.output or source.report_of(experiment)
    try:
        place.write_text(report(_standing(source, experiment)), encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {place}: {error.strerror}; name another with -o") from None
    print(place)
    return 0


def _chosen(source: Source, name: str) -> JsonObject:
    """Find the experiment that is meant.

    Raises:
        UserError: there is none, or there are several.
    """
    found = source.objects("experiments", name)
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"-n {namespace_of(one)} {name_of(one)}" for one in found)
        raise UserError(f"there are several experiments {source.where}; say which: {listed}")
    if name:
        raise nothing_called(source, "experiments", name)
    raise UserError(f"there are no experiments {source.where}; {source.makes}")


def _standing(source: Source, experiment: JsonObject) -> Standing:
    trials = (parse_trial(one, unknown_fields=False) for one in source.trials_of(experiment))
    return standing_of(
        parse_experiment(experiment, unknown_fields=False),
        in_order(tuple(trials)),
        {},
        datetime.now(UTC),
    )
