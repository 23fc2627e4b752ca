"""Check the files of Experiments, and start nothing.

Without --cluster, the rules of `trialwatch run` are checked: those of the webhook, the algorithm
and its settings, the collector, and whether this machine can run the trials. What only a cluster
would refuse is a warning. With --cluster, the API server checks each object by a dry run, as if it
were created, and the algorithm's settings are checked here.

A file may have several Experiments, Trials and Suggestions, separated by `---`. All faults of all
files are listed. Exit status: 0 if all are valid, 2 if not, 1 if the cluster does not answer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import environ
from typing import TYPE_CHECKING

from api.documents import text_at
from api.errors import Fault, SpecError, UserError
from api.faults import nearest
from api.objects.yamltext import load_objects
from trialwatch.checks.validity import KINDS, ServerCheck, Verdict, verdict_here, verdict_of_answer
from trialwatch.command_line.input_file import read_input, shown_input
from trialwatch.sources.source_choice import add_cluster, cluster_module, usual_kubeconfig

if TYPE_CHECKING:
    import argparse

    from api.types import JsonObject

_OF_TEMPLATES = "ConfigMap"
EXAMPLES = """\
examples:
    trialwatch validate experiment.yaml
    trialwatch validate experiments/*.yaml --cluster --context staging
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file to check, or - for standard input"
    )
    parser.add_argument(
        "--cluster",
        action="store_true",
        help="let the API server check the objects; nothing is stored",
    )
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        metavar="NAME",
        help="with --cluster: the namespace of objects without one (default: that of the context)",
    )
    add_cluster(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the verdicts on all files; return the exit status."""
    cluster = _cluster(arguments)
    valid = [_check(name, cluster) for name in arguments.files]
    return 0 if all(valid) else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    checked: tuple[JsonObject, ...]
    others: tuple[JsonObject, ...]


def _cluster(arguments: argparse.Namespace) -> ServerCheck | None:
    named = arguments.kubeconfig or arguments.context
    if not arguments.cluster:
        if named or arguments.namespace:
            flags = "--kubeconfig and --context are" if named else "--namespace is"
            raise UserError(f"{flags} for a cluster: add --cluster")
        return None
    kubeconfig = arguments.kubeconfig or usual_kubeconfig(environ)
    check: ServerCheck = cluster_module("checks.cluster_check").ClusterCheck(
        kubeconfig, arguments.context, arguments.namespace
    )
    return check


def _check(name: str, cluster: ServerCheck | None) -> bool:
    """Print the verdicts on the objects of one file; return whether all are valid."""
    shown = shown_input(name)
    try:
        file = _read(read_input(name))
    except SpecError as error:
        _print_faults(shown, error.faults)
        return False
    except UserError as error:
        print(f"trialwatch validate: {error}", file=sys.stderr)
        return False
    verdicts = list(_verdicts(file, cluster))
    for verdict in verdicts:
        for warning in verdict.warnings:
            print(f"{shown}: warning: {verdict.name}: {warning}", file=sys.stderr)
        _print_faults(f"{shown}: {verdict.name}", verdict.faults)
        if not verdict.faults:
            print(f"{shown}: valid: {verdict.summary}")
    for other in file.others:
        if other.get("kind") != _OF_TEMPLATES:
            kind = str(other.get("kind"))
            what = f"{kind} {text_at(other, 'metadata', 'name')}".rstrip()
            why = f"is not checked, only {', '.join(KINDS)}{nearest(kind, KINDS)}"
            print(f"{shown}: warning: {what} {why}", file=sys.stderr)
    return not any(verdict.faults for verdict in verdicts)


def _read(text: str) -> _File:
    documents = load_objects(text)
    checked = tuple(one for one in documents if one.get("kind") in KINDS)
    others = tuple(one for one in documents if one.get("kind") not in KINDS)
    if not checked:
        kinds = ", ".join(str(one.get("kind")) for one in others) or "nothing"
        hint = nearest(kinds, KINDS)
        why = f"has no Experiment (found: {kinds}); write one with `kind: Experiment`{hint}"
        raise SpecError((Fault("document", why),))
    return _File(checked=checked, others=others)


def _verdicts(file: _File, cluster: ServerCheck | None) -> Iterator[Verdict]:
    if cluster is None:
        yield from (verdict_here(document, file.others) for document in file.checked)
        return
    answers = cluster.answers(file.checked)
    for document, answer in zip(file.checked, answers, strict=True):
        yield verdict_of_answer(document, answer)


def _print_faults(about: str, faults: Sequence[Fault]) -> None:
    for fault in faults:
        print(f"{about}: {fault}", file=sys.stderr)
