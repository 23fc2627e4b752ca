"""Show experiments, trials or suggestions, in the format of kubectl.

Without NAME, all objects of a kind are shown. For trials and suggestions, NAME may be the name of
the experiment. `-o yaml` and `-o json` print the objects. `-o wide` adds parameters and metrics:
the value that stands for the trial, or the newest value while the trial runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from api.documents import items_at, mapping_at, value_at
from api.errors import UserError
from api.faults import nearest, visible
from api.objects.trials import parse_trial
from api.objects.yamlout import dump_objects
from api.timestamps import to_micros
from api.types import JsonObject
from trialwatch.documents import name_of, shown_at
from trialwatch.interruption import interruptions
from trialwatch.source import KINDS, nothing_called
from trialwatch.source_choice import add_source, source_of
from trialwatch.view.experiment_summary import measurements

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
examples:
    trialwatch get experiments
    trialwatch get trials random -o wide
"""
_OUTPUTS = ("", "wide", "yaml", "json")
_SHORT_AGES = ((120, 1, "s"), (7200, 60, "m"), (172_800, 3600, "h"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "kind",
        metavar="experiments|trials|suggestions",
        help="what to show; trial/NAME selects one object",
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
        metavar="yaml|json|wide",
        help="the output format, instead of the short table",
    )
    add_source(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the objects; return the exit status."""
    word, slash, name = arguments.kind.partition("/")  # kubectl accepts `trial/NAME`
    kind = _kind(word)
    if slash and (arguments.name or not name):
        raise UserError(f"{arguments.kind!r} is not an object: write {word} NAME, or {word}/NAME")
    name = name or arguments.name
    if arguments.output not in _OUTPUTS:
        raise UserError(f"-o {arguments.output!r} is unknown: use yaml, json or wide")
    source = source_of(arguments)
    found = source.objects(kind, name)
    if not found and name:
        raise nothing_called(source, kind, name)
    omitted = [] if name else source.omitted(kind)
    if not found:
        print(*omitted, sep="\n", end="\n" if omitted else "", file=sys.stderr)
        print(f"there are no {kind} {source.where}; {source.makes}", file=sys.stderr)
        return 0
    found = [_without_history(one) for one in found]
    if arguments.output == "yaml":
        sys.stdout.write(dump_objects(found))
    elif arguments.output == "json":
        listed: JsonObject = {"apiVersion": "v1", "kind": "List", "items": found}
        itself = len(found) == 1 and name_of(found[0]) == name
        print(json.dumps(found[0] if itself else listed, indent=2))
    else:
        wide = arguments.output == "wide"
        print(*_table(kind, found, wide=wide, spaces=wide or arguments.all_namespaces), sep="\n")
        for message in (*interruptions(found), *omitted):
            print(message, file=sys.stderr)
    return 0


def _without_history(document: JsonObject) -> JsonObject:
    """Remove `managedFields`, as kubectl does: they are longer than the rest of the object."""
    metadata = mapping_at(document, "metadata")
    if "managedFields" not in metadata:
        return document
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    return {**document, "metadata": kept}


def _kind(word: str) -> str:
    plural = word if word.endswith("s") else f"{word}s"
    if plural not in KINDS:
        raise UserError(
            f"{word!r} is not a kind; write one of: {', '.join(KINDS)}{nearest(word, KINDS)}"
        )
    return plural


# -- the table ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    cell: Callable[[JsonObject], str]
    wide: bool = False


def _table(kind: str, objects: Sequence[JsonObject], *, wide: bool, spaces: bool) -> list[str]:
    columns = [column for column in _COLUMNS[kind] if wide or not column.wide]
    columns = [_NAMESPACE, *columns] if spaces else columns
    rows = [[column.title for column in columns]]
    rows += [[visible(column.cell(one)) for column in columns] for one in objects]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    return [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _last_condition(document: JsonObject, name: str) -> str:
    conditions = items_at(document, "status", "conditions")
    return shown_at(conditions[-1], name) if conditions else ""


def _age(document: JsonObject) -> str:
    """Return the age of an object, in kubectl's format for short ages."""
    try:
        born = to_micros(shown_at(document, "metadata", "creationTimestamp")) / 1e6
    except UserError:
        return "<unknown>"
    seconds = max(0, int(datetime.now(UTC).timestamp() - born))
    for limit, unit, letter in _SHORT_AGES:
        if seconds < limit:
            return f"{seconds // unit}{letter}"
    return f"{seconds // 86_400}d"


def _pairs(document: JsonObject) -> str:
    assignments = items_at(document, "spec", "parameterAssignments")
    return " ".join(f"{value_at(one, 'name')}={value_at(one, 'value')}" for one in assignments)


def _observed(document: JsonObject) -> str:
    return " ".join(measurements(parse_trial(document, unknown_fields=False)))


def _text(*path: str) -> Callable[[JsonObject], str]:
    return lambda document: shown_at(document, *path)


_NAMESPACE = _Column("NAMESPACE", _text("metadata", "namespace"))
_NAME = _Column("NAME", _text("metadata", "name"))
_TYPE = _Column("TYPE", lambda one: _last_condition(one, "type"))
_STATUS = _Column("STATUS", lambda one: _last_condition(one, "status"))
_AGE = _Column("AGE", _age)
_REASON = _Column("MESSAGE", lambda one: _last_condition(one, "message"), wide=True)
_COLUMNS = {
    "experiments": (
        _NAME,
        _TYPE,
        _STATUS,
        _AGE,
        _Column("TRIALS", _text("status", "trials"), wide=True),
        _Column("OPTIMAL", _text("status", "currentOptimalTrial", "bestTrialName"), wide=True),
        _REASON,
    ),
    "trials": (
        _NAME,
        _TYPE,
        _STATUS,
        _AGE,
        _Column("PARAMETERS", _pairs, wide=True),
        _Column("METRICS", _observed, wide=True),
        _REASON,
    ),
    "suggestions": (
        _NAME,
        _TYPE,
        _STATUS,
        _Column("REQUESTED", _text("spec", "requests")),
        _Column("ASSIGNED", _text("status", "suggestionCount")),
        _AGE,
    ),
}
