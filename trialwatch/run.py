"""Run an experiment on this machine, or go on with one that was begun here.

Each trial's job is run as processes: its command as it is, the collector beside it, no image.
What is begun is kept below --state-dir: the same command goes on where it stopped, and with larger
counts in the file it goes further. Ctrl-C ends every process; a second one does not wait.
Exit status 0 succeeded, 1 the experiment failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from api.errors import UserError
from api.objects.experiments import render_experiment
from api.objects.validation import warnings_of
from api.types import ConditionType, holds
from runner.app import run_experiment
from runner.experiments import read_file
from runner.state.directory import DEFAULT, StateDirectory, state_of
from runner.watching import Snapshot
from trialwatch.screen import Screen
from trialwatch.view.standing import Standing, standing_of

if TYPE_CHECKING:
    import argparse

_FAILED, _INTERRUPTED = 1, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("experiment", metavar="EXPERIMENT.yaml", help="the Experiment")
    parser.add_argument(
        "--parallel",
        type=int,
        metavar="N",
        help="how many trials run at a time, in place of parallelTrialCount",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="where metrics are stored: sqlite:///FILE, postgresql://... or mysql://...; without"
        " it a file in the experiment's state directory",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT,
        metavar="DIR",
        help=f"where experiments are kept, by namespace and name ({DEFAULT})",
    )
    parser.add_argument(
        "--output",
        default="text",
        metavar="text|json",
        help="json: standard output is the Experiment with its final status, and nothing else",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the experiment; return the exit status."""
    if arguments.output not in ("text", "json"):
        raise UserError(f"--output {arguments.output!r} is unknown: use text or json")
    given = read_file(arguments.experiment, arguments.parallel)
    for warning in warnings_of(given.experiment):
        print(f"trialwatch run: warning: {warning}", file=sys.stderr)
    metadata = given.experiment.metadata
    state = state_of(arguments.state_dir, metadata.namespace, metadata.name)
    as_json = arguments.output == "json"
    screen = Screen(Console(stderr=as_json))
    with screen:
        result = run_experiment(given, state, arguments.database, _Watcher(screen))
    standing = _standing(result.last)
    screen.close(standing, _report(standing, state))
    if as_json:
        print(json.dumps(render_experiment(result.last.experiment), ensure_ascii=False, indent=2))
    if result.interrupted:
        return _INTERRUPTED
    failed = holds(result.last.experiment.status.conditions, ConditionType.FAILED)
    return _FAILED if failed else 0


def _report(standing: Standing, state: StateDirectory) -> str:
    """Write the report beside the objects; return its place, "" where there is nothing in it."""
    if standing.best is None:
        return ""
    from trialwatch.view.report import report  # noqa: PLC0415 - plotly takes a moment to load

    try:
        state.report.write_text(report(standing), encoding="utf-8")
    except OSError as error:
        print(f"trialwatch run: no report: {state.report}: {error.strerror}", file=sys.stderr)
        return ""
    return str(state.report)


class _Watcher:
    """`runner.app.Watcher`: onto the screen."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def show(self, snapshot: Snapshot) -> None:
        self._screen.show(_standing(snapshot))

    def tell(self, text: str) -> None:
        print(f"trialwatch run: {text}", file=sys.stderr)


def _standing(snapshot: Snapshot) -> Standing:
    return standing_of(snapshot.experiment, snapshot.trials, snapshot.latest, datetime.now(UTC))
