"""The tables of `trialwatch get`: the columns of each kind, and rows that may grow wider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from api.documents import items_at, value_at
from api.errors import SpecError, UserError
from api.faults import visible
from api.metric_values import value_of
from api.objects.experiments import parse_experiment
from api.objects.trials import parse_trial
from api.timestamps import to_micros
from api.types import JsonObject
from trialwatch.sources.documents import shown_at
from ui.model.causes import without_success
from ui.model.experiment_summary import lineage, measurements
from ui.model.formatting import rounded

_GAP = "   "
_SHORT_AGES = ((120, 1, "s"), (7200, 60, "m"), (172_800, 3600, "h"))
_ENDED = (
    "trialsSucceeded",
    "trialsFailed",
    "trialsKilled",
    "trialsEarlyStopped",
    "trialMetricsUnavailable",
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, and the text of an object's cell."""

    title: str
    cell: Callable[[JsonObject], str]
    wide: bool = False
    """Whether only `-o wide` shows it."""


class Table:
    """Writes objects of one kind as lines. A later line may be wider than the earlier ones."""

    def __init__(self, kind: str, *, wide: bool, namespaces: bool) -> None:
        columns = [column for column in COLUMNS[kind] if wide or not column.wide]
        self._columns = [NAMESPACE, *columns] if namespaces else columns
        self._widths: list[int] = []

    def lines(self, objects: Sequence[JsonObject]) -> Iterator[str]:
        """Yield a line for each object; before the first object, a line of titles."""
        rows = [[visible(column.cell(one)) for column in self._columns] for one in objects]
        if rows and not self._widths:
            titles = [column.title for column in self._columns]
            self._widths = [0] * len(titles)
            rows = [titles, *rows]
        for row in rows:
            self._widths = [max(len(c), w) for c, w in zip(row, self._widths, strict=True)]
        for row in rows:
            cells = (cell.ljust(w) for cell, w in zip(row, self._widths, strict=True))
            yield _GAP.join(cells).rstrip()

    def content(self, one: JsonObject) -> tuple[str, ...]:
        """Return what an object's line shows, without what only the time changes."""
        return tuple(column.cell(one) for column in self._columns if column is not _AGE)


# -- cells ----------------------------------------------------------------------------------


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
    pairs = ((value_at(one, "name"), shown_at(one, "value")) for one in assignments)
    return " ".join(f"{name}={rounded(value)}" for name, value in pairs)


def _observed(document: JsonObject) -> str:
    return " ".join(measurements(parse_trial(document, unknown_fields=False), rounded))


def _lineage(document: JsonObject) -> str:
    """Return a trial's generation and parent: `2 of exp-abc`; "" if it has none."""
    return lineage(parse_trial(document, unknown_fields=False).spec.labels)


def _progress(document: JsonObject) -> str:
    """Return how many trials have ended, and how many there may be: `5/12`."""
    counts = (value_at(document, "status", name) for name in _ENDED)
    ended = sum(count for count in counts if isinstance(count, int))
    most = shown_at(document, "spec", "maxTrialCount")
    return f"{ended}/{most}" if most else str(ended)


def _best(document: JsonObject) -> str:
    """Return the objective's best value so far: `loss=0.12`; "" if there is none."""
    try:
        experiment = parse_experiment(document, unknown_fields=False)
    except SpecError:  # another program wrote it; its other columns are shown
        return ""
    optimal, objective = experiment.status.optimal_trial, experiment.spec.objective
    if optimal is None or objective is None or optimal.observation is None:
        return ""
    metrics = (one for one in optimal.observation.metrics if one.name == objective.metric)
    return next((f"{one.name}={rounded(value_of(one, objective))}" for one in metrics), "")


def _text(*path: str) -> Callable[[JsonObject], str]:
    return lambda document: shown_at(document, *path)


NAMESPACE: Final = Column("NAMESPACE", _text("metadata", "namespace"))
_NAME = Column("NAME", _text("metadata", "name"))
_TYPE = Column("TYPE", lambda one: _last_condition(one, "type"))
_STATUS = Column("STATUS", lambda one: _last_condition(one, "status"))
_AGE = Column("AGE", _age)
_REASON = Column("MESSAGE", lambda one: without_success(_last_condition(one, "message")), wide=True)
COLUMNS: Final = {
    "experiments": (
        _NAME,
        _TYPE,
        _STATUS,
        _AGE,
        Column("TRIALS", _progress),
        Column("BEST", _best),
        Column("OPTIMAL", _text("status", "currentOptimalTrial", "bestTrialName"), wide=True),
        _REASON,
    ),
    "trials": (
        _NAME,
        _TYPE,
        _STATUS,
        _AGE,
        Column("PARAMETERS", _pairs),
        Column("METRICS", _observed),
        Column("LINEAGE", _lineage, wide=True),
        _REASON,
    ),
    "suggestions": (
        _NAME,
        _TYPE,
        _STATUS,
        Column("REQUESTED", _text("spec", "requests")),
        Column("ASSIGNED", _text("status", "suggestionCount")),
        _AGE,
    ),
}
