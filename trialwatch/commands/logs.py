"""Print the log of a trial's container, while it runs and after its end.

The default is the container that trains; `-c metrics-logger-and-collector` selects the collector.
If a trial had several pods, the log is from the last one. On this machine, the last 10 MiB of each
log are stored; in a cluster, a log is deleted with its pod.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from api.errors import UserError
from api.types import JsonObject
from trialwatch.sources.documents import name_of, namespace_of, shown_at
from trialwatch.sources.source import Source, nothing_called
from trialwatch.sources.source_choice import add_source, source_of

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
examples:
    trialwatch logs experiment/random
    trialwatch logs random-x7k2p -f
"""
_OF_EXPERIMENTS = ("experiment", "experiments")
_KINDS = ("", "trial", "trials", *_OF_EXPERIMENTS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "trial",
        metavar="TRIAL",
        help="the trial's name, or experiment/NAME for the best trial of an experiment so far",
    )
    parser.add_argument(
        "-c",
        "--container",
        default="",
        metavar="NAME",
        help="the container (default: the container that trains)",
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="print new output until the trial ends"
    )
    parser.add_argument(
        "-p",
        "--previous",
        action="store_true",
        help="print the log of the previous container of the same pod; only in a cluster",
    )
    add_source(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the log; return the exit status."""
    source = source_of(arguments)
    source.print_log(_trial(source, arguments.trial), arguments, _write)
    return 0


def _trial(source: Source, word: str) -> JsonObject:
    kind, _, name = word.rpartition("/")
    if kind not in _KINDS or not name:
        raise UserError(f"{word!r} is not a trial; write a trial's name, or experiment/NAME")
    return _best(source, name) if kind in _OF_EXPERIMENTS else _called(source, name)


def _called(source: Source, name: str) -> JsonObject:
    try:
        return source.trial(name)
    except UserError:
        if not any(name_of(one) == name for one in source.objects("experiments", name)):
            raise
        raise UserError(
            f"{name} is an experiment, not a trial: write experiment/{name} for the log of its best"
            f" trial; `trialwatch get trials {name}` lists all"
        ) from None


def _best(source: Source, name: str) -> JsonObject:
    found = source.objects("experiments", name)
    if not found:
        raise nothing_called(source, "experiments", name)
    if len(found) > 1:
        spaces = ", ".join(f"-n {namespace_of(one)}" for one in found)
        raise UserError(f"there are several experiments {name}; choose one: {spaces}")
    best = shown_at(found[0], "status", "currentOptimalTrial", "bestTrialName")
    if not best:
        raise UserError(
            f"experiment {name} has no best trial yet; `trialwatch get trials {name}` lists all"
        )
    return next(one for one in source.trials_of(found[0]) if name_of(one) == best)


def _write(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
