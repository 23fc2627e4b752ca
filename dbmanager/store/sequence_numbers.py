"""How far each source is: which reports of a transaction are new, and what is noted of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbmanager.store.columns import Columns
from dbmanager.store.contract import Delivery, Receipt, TrialKey

SourceKey = tuple[TrialKey, str]
"""A trial's source; "" is the trial's own row, where rows without a source are noted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one caller wants stored."""

    key: TrialKey
    rows: Columns
    delivery: Delivery | None

    @property
    def source(self) -> SourceKey:
        """Whose report this is."""
        return self.key, self.delivery.source if self.delivery else ""


class Progress:
    """The numbers of the sources, which grow as reports are taken in their order."""

    def __init__(self, last: Mapping[SourceKey, int]) -> None:
        """Take the number of each source's last report, as far as there is one."""
        self._last = dict(last)
        self._changes: dict[SourceKey, dict[str, Any]] = {}

    def take(self, report: Report) -> Receipt:
        """Say what comes of a report."""
        delivery, stored = report.delivery, len(report.rows)
        last = self._last.get(report.source, 0)
        if delivery is None:
            if stored and not last:
                self._note(report.source, number=1, gap=0, outcome=None)
            return Receipt(stored=stored)
        if delivery.sequence <= last:
            return Receipt(stored=0, repeat=True)
        gap = delivery.sequence - last - 1
        outcome = delivery.outcome and delivery.outcome.value
        self._note(report.source, number=delivery.sequence, gap=gap, outcome=outcome)
        return Receipt(stored=stored, gap=gap)

    def changes(self) -> list[dict[str, Any]]:
        """Return the rows of `trialwatch_sources` that are to be added or changed; gaps add up."""
        return [*self._changes.values()]

    def _note(self, source: SourceKey, *, number: int, gap: int, outcome: str | None) -> None:
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
