"""The termination message of a collector: a backup of the metrics when the store is unavailable.

The format is that of `collector.core.summary`: one JSON object of at most 4096 bytes. Any program
in the pod may have written the message, so fields of another type are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

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


def parse_termination_message(text: str) -> TerminationMessage:
    """Parse a termination message; text of another format gives an empty one."""
    try:
        found: Json = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return TerminationMessage()
    if not isinstance(found, Mapping):
        return TerminationMessage()
    delivered, metrics, nearest = found.get("delivered"), found.get("metrics"), found.get("nearest")
    folded = metrics.items() if isinstance(metrics, Mapping) else ()
    lines = nearest if isinstance(nearest, list) else []
    return TerminationMessage(
        delivered=delivered if isinstance(delivered, bool) else None,
        cause=_text(found.get("why")),
        metrics=tuple(_summary(name, one) for name, one in folded if isinstance(one, Mapping)),
        nearest=tuple(line for line in lines if isinstance(line, str)),
    )


def _summary(name: str, folded: Mapping[str, Json]) -> MetricSummary:
    count = folded.get("count")
    return MetricSummary(
        name=name,
        count=count if isinstance(count, int) else 0,
        last=_text(folded.get("last")),
        first=_text(folded.get("first")),
        min=_text(folded.get("min")),
        max=_text(folded.get("max")),
    )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
