"""`controller.driver.ports.Events` over a cluster: what `kubectl describe` shows of an object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cachetools import LRUCache

from api import names
from api.types import Experiment, Suggestion, Trial
from controller.on_kube.objects import ref_of_item
from controller.reconcile.actions import EmitEvent, EventType
from kube.events import Events, Speaker, Word
from serving.logs import get_logger

SPEAKER: Final = Speaker(component=names.OWN_CONTROLLER, burst=100, per_second=10)
RECONCILE_ERROR: Final = "ReconcileError"
_MOST_REMEMBERED: Final = 10_000
_log = get_logger(__name__)


class ClusterEvents:
    """Posts them by and by; what comes too often is merged, or left out. Warnings are logged."""

    def __init__(self, events: Events, count_error: Callable[[str], None]) -> None:
        """Take where Events go, and what counts an error of a kind ("experiment" or "trial")."""
        self._events, self._count_error = events, count_error
        self._logged: LRUCache[str, str] = LRUCache(_MOST_REMEMBERED)

    def emit(self, event: EmitEvent) -> None:
        """Take one event."""
        if event.reason == RECONCILE_ERROR:
            self._count_error(_kind(event.about))
        word = Word(
            about=ref_of_item(event.about),
            uid=event.about.metadata.uid,
            reason=event.reason,
            message=event.message,
            type=event.type.value,
        )
        if event.type is EventType.WARNING:
            self._log(word)
        self._events.tell(word)

    def _log(self, word: Word) -> None:
        """Log it where it is not what was said of the object last."""
        if self._logged.get(word.uid) == word.message:
            return
        self._logged[word.uid] = word.message
        _log.warning(
            "warning on an object", object=str(word.about), reason=word.reason, cause=word.message
        )


def _kind(item: Experiment | Suggestion | Trial) -> str:
    return "trial" if isinstance(item, Trial) else "experiment"
