"""The termination message of a collector: a backup of the metrics when the store is unavailable.

The format is that of `collector.core.summary`: one JSON object of at most 4096 bytes. Any program
in the pod may have written the message, so fields of another type are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from api.documents import items_at, mapping_at, text_at, value_at
from api.types import Json
from controller.reconcile.views import MetricSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminationMessage:
    """A parsed termination message."""

    delivered: bool | None = None
    """Whether all collected metrics are in the store; None if the message does not say."""
    cause: str = ""
    """Why metrics were not delivered, or why the collector failed."""
    metrics: tuple[MetricSummary, ...] = ()
    nearest: tuple[str, ...] = ()
    """Lines that nearly matched, if no line matched."""
    missing_file: str = ""
    """The path of the metrics file, if it was never created."""


def parse_termination_message(text: str) -> TerminationMessage:
    """Parse a termination message; text of another format gives an empty one."""
    try:
        message: Json = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return TerminationMessage()
    delivered, metrics = value_at(message, "delivered"), mapping_at(message, "metrics")
    return TerminationMessage(
        delivered=delivered if isinstance(delivered, bool) else None,
        cause=text_at(message, "why"),
        metrics=tuple(
            _summary(name, folded)
            for name, folded in metrics.items()
            if isinstance(folded, Mapping)
        ),
        missing_file=text_at(message, "missing_file"),
        nearest=tuple(line for line in items_at(message, "nearest") if isinstance(line, str)),
    )


def _summary(name: str, folded: Mapping[str, Json]) -> MetricSummary:
    count = value_at(folded, "count")
    return MetricSummary(
        name=name,
        count=count if isinstance(count, int) else 0,
        last=text_at(folded, "last"),
        first=text_at(folded, "first"),
        min=text_at(folded, "min"),
        max=text_at(folded, "max"),
    )
