"""`controller.driver.ports.Events` over a cluster: what `kubectl describe` shows of an object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cachetools import LRUCache

from api import names
from api.types import Experiment, Suggestion, Trial
from controller.on_kube.objects import ref_of_item
from controller.reconcile.actions import EmitEvent
from controller.reconcile.event_reasons import EventReason, EventType
from kube.events import Event, EventRecorder, EventSource
from serving.logs import get_logger

EVENT_SOURCE: Final = EventSource(component=names.OWN_CONTROLLER, burst=100, per_second=10)
_MAX_LOGGED: Final = 10_000
_log = get_logger(__name__)


class ClusterEvents:
    """Posts Events in the background; merges or drops frequent ones. Logs warnings."""

    def __init__(self, events: EventRecorder, count_error: Callable[[str], None]) -> None:
        """`events` posts; `count_error` counts an error of a kind ("experiment" or "trial")."""
        self._events, self._count_error = events, count_error
        self._logged: LRUCache[str, str] = LRUCache(_MAX_LOGGED)

    def emit(self, event: EmitEvent) -> None:
        """Post one event."""
        if event.reason is EventReason.RECONCILE_ERROR:
            self._count_error(_kind(event.about))
        posted = Event(
            about=ref_of_item(event.about),
            uid=event.about.metadata.uid,
            reason=event.reason.value,
            message=event.message,
            type=event.reason.type.value,
        )
        if event.reason.type is EventType.WARNING:
            self._log(posted)
        self._events.record(posted)

    def _log(self, event: Event) -> None:
        """Log a message unless it is the last one about the object."""
        if self._logged.get(event.uid) == event.message:
            return
        self._logged[event.uid] = event.message
        _log.warning(
            "warning on an object",
            object=str(event.about),
            reason=event.reason,
            cause=event.message,
        )


def _kind(item: Experiment | Suggestion | Trial) -> str:
    return "trial" if isinstance(item, Trial) else "experiment"
