"""The numbers of sources: which reports of a transaction are new, and which rows change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbmanager.store.columns import Columns
from dbmanager.store.contract import Delivery, Receipt, TrialKey

SourceKey = tuple[TrialKey, str]
"""A trial's source; "" is the trial's own row, for reports without a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The rows of one report, and where they belong."""

    key: TrialKey
    rows: Columns
    delivery: Delivery | None

    @property
    def source(self) -> SourceKey:
        """The source of the report."""
        return self.key, self.delivery.source if self.delivery else ""


class SequenceNumbers:
    """The last number of each source, while the reports of a transaction are accepted in order."""

    def __init__(self, last: Mapping[SourceKey, int]) -> None:
        """Start with the number of each source's last stored report."""
        self._last = dict(last)
        self._changes: dict[SourceKey, dict[str, Any]] = {}

    def accept(self, report: Report) -> Receipt:
        """Record a report; return how many of its rows to store, and whether it is a repeat."""
        delivery, stored = report.delivery, len(report.rows)
        last = self._last.get(report.source, 0)
        if delivery is None:
            if stored and not last:
                self._record(report.source, number=1, gap=0, outcome=None)
            return Receipt(stored=stored)
        if delivery.sequence <= last:
            return Receipt(stored=0, repeat=True)
        gap = delivery.sequence - last - 1
        outcome = delivery.outcome and delivery.outcome.value
        self._record(report.source, number=delivery.sequence, gap=gap, outcome=outcome)
        return Receipt(stored=stored, gap=gap)

    def changes(self) -> list[dict[str, Any]]:
        """Return the rows of `trialwatch_sources` to insert or update; gaps must be added up."""
        return [*self._changes.values()]

    def _record(self, source: SourceKey, *, number: int, gap: int, outcome: str | None) -> None:
        key, name = source
        earlier = self._changes.get(source)
        self._last[source] = number
        self._changes[source] = {
            "namespace": key.namespace,
            "trial_name": key.trial,
            "source": name,
            "last_sequence": number,
            "gaps": gap + (earlier["gaps"] if earlier else 0),
            "outcome": outcome,
        }
