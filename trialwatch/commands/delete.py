"""Delete an experiment with its trials, metrics and logs.

On this machine, its directory is deleted; metrics in a database of `--database` stay. In a cluster,
the controller deletes its trials, their jobs and metrics. A cluster must be named by --kubeconfig
or --context.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import UserError
from api.faults import visible
from api.types import JsonObject
from runner.state.directory import DEFAULT
from trialwatch.sources.documents import name_of, namespace_of
from trialwatch.sources.source import Source, nothing_called
from trialwatch.sources.source_choice import add_cluster, named_source_of

if TYPE_CHECKING:
    import argparse

_KINDS = ("experiment", "experiments")
_REFUSED = 1

EXAMPLES = """\
examples:
    trialwatch delete experiment/random
    trialwatch delete experiment/random --context staging --yes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("kind", metavar="experiment/NAME", help="the experiment")
    parser.add_argument(
        "name", nargs="?", default="", metavar="NAME", help="the same, after a space"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="delete without a question")
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        metavar="NAME",
        help="the namespace; default: the only one on this machine, or the one of the context",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help=f"the directory with the experiments of this machine (default {DEFAULT})",
    )
    add_cluster(parser)
    parser.set_defaults(all_namespaces=False)


def run(arguments: argparse.Namespace) -> int:
    """Delete the experiment; return the exit status."""
    name = _name(arguments.kind, arguments.name)
    source = named_source_of(arguments)
    experiment = _chosen(source, name)
    trials = len(source.trials_of(experiment))
    what = f"experiment {visible(name)} with {trials} {'trial' if trials == 1 else 'trials'}"
    if not arguments.yes and not _confirmed(f"delete {what} {source.where}?"):
        print("nothing is deleted", file=sys.stderr)
        return _REFUSED
    source.delete(experiment)
    print(f"deleted {what}")
    return 0


def _name(kind: str, name: str) -> str:
    word, slash, after = kind.partition("/")
    if word not in _KINDS or bool(after) == bool(name) or (slash and not after):
        raise UserError(
            f"{kind!r} is not an experiment; write experiment/NAME (trials are deleted with their"
            " experiment)"
        )
    return after or name


def _chosen(source: Source, name: str) -> JsonObject:
    found = source.objects("experiments", name)
    if not found:
        raise nothing_called(source, "experiments", name)
    if len(found) > 1:
        spaces = ", ".join(f"-n {namespace_of(one)}" for one in found)
        raise UserError(f"there are several experiments {name_of(found[0])}; choose one: {spaces}")
    return found[0]


def _confirmed(question: str) -> bool:
    """Ask on the terminal.

    Raises:
        UserError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError("standard input is not a terminal: add --yes to delete without a question")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
