"""`controller.ports.Events` over a cluster: what `kubectl describe` shows of an object."""

from __future__ import annotations

from typing import Final

from api import names
from api.types import Experiment, Suggestion, Trial
from controller.actions import EmitEvent
from controller.cluster_objects import ref_of_item
from controller.metrics import Metrics
from kube.events import Events, Speaker, Word

SPEAKER: Final = Speaker(component=names.OWN_CONTROLLER, burst=100, per_second=10)
RECONCILE_ERROR: Final = "ReconcileError"


class ClusterEvents:
    """Posts them by and by; what comes too often is merged, or left out."""

    def __init__(self, events: Events, metrics: Metrics) -> None:
        self._events, self._metrics = events, metrics

    def emit(self, event: EmitEvent) -> None:
        """Take one event."""
        if event.reason == RECONCILE_ERROR:
            self._metrics.error(_kind(event.about))
        self._events.tell(
            Word(
                about=ref_of_item(event.about),
                uid=event.about.metadata.uid,
                reason=event.reason,
                message=event.message,
                type=event.type.value,
            )
        )


def _kind(item: Experiment | Suggestion | Trial) -> str:
    return "trial" if isinstance(item, Trial) else "experiment"
