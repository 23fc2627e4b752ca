"""What Katib counts of experiments and trials: those created, those deleted, and each kind of end.

A tally is told of an object whenever it may have changed, and says what is to be counted. It counts
what happens under its eyes: objects that are there when it begins were counted by whoever was there
before, as a counter of Prometheus that begins anew at zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from api.types import ConditionType, Experiment, Trial, holds
from controller.reconcile.views import Key


class LifecycleEvent(StrEnum):
    """What is counted, as it stands in the counters' names."""

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
class _Counted:
    uid: str
    end: LifecycleEvent | None = None


class LifecycleCounters:
    """The objects of one kind that are there, and what was counted of each."""

    def __init__(self) -> None:
        self._counted: dict[Key, _Counted] = {}
        self._begun = False

    def begin(self) -> None:
        """Count from now on; all that was told of before was there already."""
        self._begun = True

    def seen(self, key: Key, item: Experiment | Trial | None) -> Iterable[LifecycleEvent]:
        """Take an object as it is now (None: it is gone), and return what has happened since.

        The end of an object is counted once, until it is known to go on (a resumed experiment).
        """
        before = self._counted.get(key)
        happened: list[LifecycleEvent] = []
        if before is not None and (item is None or item.metadata.uid != before.uid):
            del self._counted[key]
            happened.append(LifecycleEvent.DELETED)
            before = None
        if item is not None:
            if before is None:
                before = _Counted(item.metadata.uid)
                happened.append(LifecycleEvent.CREATED)
            end = _end_of(item)
            if end is not None and before.end is None:
                happened.append(end)
            if end is not None or holds(item.status.conditions, ConditionType.RESTARTING):
                before = replace(before, end=end)
            self._counted[key] = before
        return happened if self._begun else ()


def _end_of(item: Experiment | Trial) -> LifecycleEvent | None:
    held = (happened for kind, happened in _ENDS.items() if holds(item.status.conditions, kind))
    return next(held, None)
