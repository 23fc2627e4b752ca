"""Show the experiments of this machine, their trials or their suggestions, as kubectl would.

Without NAME all of a kind; trials may be chosen by the experiment's name too. `-o yaml` and
`-o json` print the objects, `-o wide` adds what was chosen and what was measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import UserError
from api.objects.faults import nearest, visible
from api.objects.yamlout import dump_objects
from api.timestamps import to_micros
from api.types import Json, JsonObject
from runner.state.directory import DEFAULT, StateDirectory, all_states
from runner.state.documents import read_document

if TYPE_CHECKING:
    import argparse

KINDS = ("experiments", "trials", "suggestions")
_OUTPUTS = ("", "wide", "yaml", "json")
_SHORT_AGES = ((120, 1, "s"), (7200, 60, "m"), (172_800, 3600, "h"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("kind", metavar="experiments|trials|suggestions", help="what to show")
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="one of them")
    parser.add_argument("-n", "--namespace", default="", metavar="NAME", help="of one namespace")
    parser.add_argument(
        "-o", "--output", default="", metavar="yaml|json|wide", help="in place of the short table"
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT,
        metavar="DIR",
        help=f"where experiments are kept ({DEFAULT})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print them; return the exit status."""
    kind = _kind(arguments.kind)
    if arguments.output not in _OUTPUTS:
        raise UserError(f"-o {arguments.output!r} is unknown: use yaml, json or wide")
    states = all_states(arguments.state_dir)
    if arguments.namespace:
        states = [one for one in states if one.path.parent.name == arguments.namespace]
    found = [one for state in states for one in _objects(kind, state, arguments.name)]
    if not found:
        return _nothing(kind, arguments)
    if arguments.output == "yaml":
        sys.stdout.write(dump_objects(found))
    elif arguments.output == "json":
        listed = {"apiVersion": "v1", "kind": "List", "items": found}
        print(json.dumps(found[0] if arguments.name and len(found) == 1 else listed, indent=2))
    else:
        print("\n".join(_table(kind, found, wide=arguments.output == "wide")))
    return 0


def _kind(word: str) -> str:
    plural = word if word.endswith("s") else f"{word}s"
    if plural not in KINDS:
        raise UserError(
            f"{word!r} is nothing to get{nearest(word, KINDS)}; write {', '.join(KINDS)}"
        )
    return plural


def _nothing(kind: str, arguments: argparse.Namespace) -> int:
    where = f"in {arguments.state_dir}"
    if arguments.name:
        raise UserError(f"there is no {kind[:-1]} {arguments.name} {where}; leave the name out")
    print(f"no {kind} {where}; `trialwatch run EXPERIMENT.yaml` makes them", file=sys.stderr)
    return 0


def _objects(kind: str, state: StateDirectory, name: str) -> Iterable[JsonObject]:
    """Read the objects of one experiment, those that are named where there is a name."""
    if kind == "trials":
        paths: Sequence[Path] = sorted(state.trials.glob("*.yaml"))
        if name and name != state.path.name:
            paths = [path for path in paths if path.stem == name]
    elif name in ("", state.path.name):
        paths = [state.experiment if kind == "experiments" else state.suggestion]
    else:
        paths = []
    found = [document for path in paths if (document := read_document(path)) is not None]
    return sorted(found, key=lambda one: str(_at(one, "metadata", "creationTimestamp")))


# -- the table ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    cell: Callable[[JsonObject], str]
    wide: bool = False


def _table(kind: str, objects: Sequence[JsonObject], *, wide: bool) -> list[str]:
    columns = [column for column in _COLUMNS[kind] if wide or not column.wide]
    rows = [[column.title for column in columns]]
    rows += [[visible(column.cell(one)) for column in columns] for one in objects]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    return [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _at(document: Json, *path: str) -> Json:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _last_condition(document: JsonObject, name: str) -> str:
    conditions = _at(document, "status", "conditions")
    last = conditions[-1] if isinstance(conditions, list) and conditions else None
    return str(_at(last, name) or "")


def _age(document: JsonObject) -> str:
    """Write how old an object is, as kubectl does for what is younger than days."""
    try:
        born = to_micros(str(_at(document, "metadata", "creationTimestamp"))) / 1e6
    except UserError:
        return "<unknown>"
    seconds = max(0, int(datetime.now(UTC).timestamp() - born))
    for limit, unit, letter in _SHORT_AGES:
        if seconds < limit:
            return f"{seconds // unit}{letter}"
    return f"{seconds // 86_400}d"


def _pairs(document: JsonObject) -> str:
    listed = _at(document, "spec", "parameterAssignments")
    items = listed if isinstance(listed, list) else []
    return " ".join(f"{_at(one, 'name')}={_at(one, 'value')}" for one in items)


def _observed(document: JsonObject) -> str:
    listed = _at(document, "status", "observation", "metrics")
    items = listed if isinstance(listed, list) else []
    return " ".join(f"{_at(one, 'name')}={_at(one, 'latest')}" for one in items)


def _text(*path: str) -> Callable[[JsonObject], str]:
    return lambda document: str(_at(document, *path) or "")


_NAMESPACE = _Column("NAMESPACE", _text("metadata", "namespace"), wide=True)
_NAME = _Column("NAME", _text("metadata", "name"))
_TYPE = _Column("TYPE", lambda one: _last_condition(one, "type"))
_STATUS = _Column("STATUS", lambda one: _last_condition(one, "status"))
_AGE = _Column("AGE", _age)
_REASON = _Column("MESSAGE", lambda one: _last_condition(one, "message"), wide=True)
_COLUMNS = {
    "experiments": (
        _NAMESPACE,
        _NAME,
        _TYPE,
        _STATUS,
        _AGE,
        _Column("TRIALS", _text("status", "trials"), wide=True),
        _Column("OPTIMAL", _text("status", "currentOptimalTrial", "bestTrialName"), wide=True),
        _REASON,
    ),
    "trials": (
        _NAMESPACE,
        _NAME,
        _TYPE,
        _STATUS,
        _AGE,
        _Column("PARAMETERS", _pairs, wide=True),
        _Column("METRICS", _observed, wide=True),
        _REASON,
    ),
    "suggestions": (
        _NAMESPACE,
        _NAME,
        _TYPE,
        _STATUS,
        _Column("REQUESTED", _text("spec", "requests")),
        _Column("ASSIGNED", _text("status", "suggestionCount")),
        _AGE,
    ),
}
