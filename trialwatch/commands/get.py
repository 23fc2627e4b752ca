"""Show experiments, trials or suggestions, in the format of kubectl.

Without NAME, all objects of a kind are shown; without a kind, the experiments. For trials and
suggestions, NAME may be the name of the experiment. A trial has its parameters and metrics: the
value that stands for the trial, or the newest value while the trial runs. `-w` prints each object
again when its line changes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from api.documents import mapping_at
from api.errors import UserError
from api.faults import nearest
from api.objects.yamlout import dump_objects
from api.types import JsonObject
from runner.state.interruption import interruptions
from trialwatch.output.object_table import Table
from trialwatch.output.watching import Printer, names_of
from trialwatch.sources.documents import name_of
from trialwatch.sources.source import KINDS, Source, nothing_called
from trialwatch.sources.source_choice import add_source, source_of

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
examples:
    trialwatch get experiments -o wide
    trialwatch get trials random -w
"""
_TABLES = ("", "wide")
_OUTPUTS = (*_TABLES, "yaml", "json", "name")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "kind",
        nargs="?",
        default="experiments",
        metavar="experiments|trials|suggestions",
        help="what to show (default: experiments); trial/NAME, or a name alone, is one object",
    )
    parser.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="NAME",
        help="the name of one object, or of its experiment",
    )
    parser.add_argument(
        "-o",
        "--output",
        default="",
        metavar="yaml|json|name|wide",
        help="the output format, instead of the short table",
    )
    parser.add_argument(
        "-w",
        "--watch",
        action="store_true",
        help="after the objects, print each one that changes, until Ctrl-C",
    )
    add_source(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the objects; return the exit status."""
    if arguments.output not in _OUTPUTS:
        raise UserError(f"-o {arguments.output!r} is unknown: use yaml, json, name or wide")
    source = source_of(arguments)
    kind, name = _wanted(source, arguments.kind, arguments.name)
    found = source.objects(kind, name)
    if not found and name:
        raise nothing_called(source, kind, name)
    omitted = [] if name else source.omitted(kind)
    wide = arguments.output == "wide"
    table = Table(kind, wide=wide, namespaces=wide or arguments.all_namespaces)
    if not found:
        print(*omitted, sep="\n", end="\n" if omitted else "", file=sys.stderr)
        print(f"there are no {kind} {source.where}; {source.makes}", file=sys.stderr)
    if arguments.watch:
        _watch(source, kind, name, Printer(arguments.output, table, kind))
    elif found:
        _print([_without_history(one) for one in found], arguments.output, kind, name, table)
        if arguments.output in _TABLES:
            for message in (*interruptions(found), *omitted):
                print(message, file=sys.stderr)
    return 0


def _watch(source: Source, kind: str, name: str, printer: Printer) -> None:
    source.watch(kind, name, lambda some: printer.show([_without_history(one) for one in some]))


def _print(found: Sequence[JsonObject], output: str, kind: str, name: str, table: Table) -> None:
    if output == "yaml":
        sys.stdout.write(dump_objects(found))
    elif output == "json":
        listed: JsonObject = {"apiVersion": "v1", "kind": "List", "items": [*found]}
        itself = len(found) == 1 and name_of(found[0]) == name
        print(json.dumps(found[0] if itself else listed, indent=2))
    elif output == "name":
        print(*names_of(kind, found), sep="\n")
    else:
        print(*table.lines(found), sep="\n")


def _without_history(document: JsonObject) -> JsonObject:
    """Remove `managedFields`, as kubectl does: they are longer than the rest of the object."""
    metadata = mapping_at(document, "metadata")
    if "managedFields" not in metadata:
        return document
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    return {**document, "metadata": kept}


def _wanted(source: Source, word: str, name: str) -> tuple[str, str]:
    """Return the kind and the name of the objects; a name alone may be that of any object."""
    kind, slash, named = word.partition("/")  # kubectl accepts `trial/NAME`
    plural = kind if kind.endswith("s") else f"{kind}s"
    if plural not in KINDS:
        owners = () if slash or name else (one for one in KINDS if _has(source, one, word))
        if owner := next(iter(owners), None):
            return owner, word
        raise UserError(_not_a_kind(kind))
    if slash and (name or not named):
        raise UserError(f"{word!r} is not an object: write {kind} NAME, or {kind}/NAME")
    return plural, named or name


def _has(source: Source, kind: str, name: str) -> bool:
    return any(name_of(one) == name for one in source.objects(kind, name))


def _not_a_kind(word: str) -> str:
    kinds = f"{word!r} is not a kind; write one of: {', '.join(KINDS)}"
    likely = nearest(word, KINDS)
    return f"{kinds}{likely or '. Without a kind, all experiments are shown'}"
