"""What Katib counts of experiments and trials: those created, those deleted, and how they ended.

`LifecycleCounters.seen` receives an object whenever it may have changed, and returns the events to
count. Objects that exist at the beginning are not counted: the previous leader has counted them,
and Prometheus handles counters that restart at zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from api.types import ConditionType, Experiment, Trial, holds
from controller.reconcile.views import Key


class LifecycleEvent(StrEnum):
    """A counted event, as in the names of the counters."""

    CREATED = "created"
    DELETED = "deleted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    METRICS_UNAVAILABLE = "metrics_unavailable"


_ENDS = {
    ConditionType.SUCCEEDED: LifecycleEvent.SUCCEEDED,
    ConditionType.FAILED: LifecycleEvent.FAILED,
    ConditionType.METRICS_UNAVAILABLE: LifecycleEvent.METRICS_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class _KnownObject:
    uid: str
    end: LifecycleEvent | None = None


class LifecycleCounters:
    """The existing objects of one kind, and what was counted of each."""

    def __init__(self) -> None:
        self._known: dict[Key, _KnownObject] = {}
        self._counting = False

    def begin(self) -> None:
        """Count from now on; all objects seen before existed already."""
        self._counting = True

    def seen(self, key: Key, item: Experiment | Trial | None) -> Iterable[LifecycleEvent]:
        """Return what has happened to an object since the last call; `item` is None if deleted.

        The end of an object is counted once, until it continues (a resumed experiment).
        """
        known = self._known.get(key)
        events: list[LifecycleEvent] = []
        if known is not None and (item is None or item.metadata.uid != known.uid):
            del self._known[key]
            events.append(LifecycleEvent.DELETED)
            known = None
        if item is not None:
            if known is None:
                known = _KnownObject(item.metadata.uid)
                events.append(LifecycleEvent.CREATED)
            end = _end_of(item)
            if end is not None and known.end is None:
                events.append(end)
            if end is not None or holds(item.status.conditions, ConditionType.RESTARTING):
                known = replace(known, end=end)
            self._known[key] = known
        return events if self._counting else ()


def _end_of(item: Experiment | Trial) -> LifecycleEvent | None:
    held = (event for kind, event in _ENDS.items() if holds(item.status.conditions, kind))
    return next(held, None)
