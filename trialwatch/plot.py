"""Write the report of an experiment of this machine: how the search went on, and what led where.

It is one HTML file that needs no network. Each run writes one at its end; this writes it anew, also
while the experiment runs. Trials that run are in it with what they were asked to do alone.
Standard output is the file's place. Exit status 0, or 2 where there is no such experiment.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import SetupError, UserError
from api.objects.experiments import parse_experiment
from api.objects.faults import nearest
from api.objects.trials import parse_trial
from controller.creation import in_order
from runner.state.directory import DEFAULT, StateDirectory, all_states
from runner.state.documents import read_document
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
    parser.add_argument("-n", "--namespace", default="", metavar="NAME", help="of one namespace")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="where to write it (report.html, beside the experiment's objects)",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT,
        metavar="DIR",
        help=f"where experiments are kept ({DEFAULT})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the report; return the exit status."""
    state = _chosen(arguments.state_dir, arguments.namespace, arguments.experiment)
    place: Path = arguments.output or state.report
    try:
        place.write_text(report(_kept(state)), encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {place}: {error.strerror}; name another with -o") from None
    print(place)
    return 0


def _chosen(root: Path, namespace: str, name: str) -> StateDirectory:
    """Find the experiment that is meant.

    Raises:
        UserError: there is none, or there are several.
    """
    every = all_states(root)
    found = [
        state
        for state in every
        if name in ("", state.path.name) and namespace in ("", state.path.parent.name)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"-n {one.path.parent.name} {one.path.name}" for one in found)
        raise UserError(f"several experiments are kept in {root}; say which: {listed}")
    if not every:
        raise UserError(f"no experiment is kept in {root}; `trialwatch run EXPERIMENT.yaml` first")
    known = dict.fromkeys(state.path.name for state in every)
    hint = nearest(name, known) or f"; there are {', '.join(known)}"
    raise UserError(f"there is no experiment {name or 'of this namespace'} in {root}{hint}")


def _kept(state: StateDirectory) -> Standing:
    document = read_document(state.experiment)
    if document is None:
        raise SetupError(f"{state.experiment} has just gone; run the experiment again")
    trials = [read_document(path) for path in sorted(state.trials.glob("*.yaml"))]
    return standing_of(
        parse_experiment(document, unknown_fields=False),
        in_order(
            tuple(parse_trial(one, unknown_fields=False) for one in trials if one is not None)
        ),
        {},
        datetime.now(UTC),
    )
