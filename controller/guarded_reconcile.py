"""Turns that are timed and counted, and whose faults stop no other object."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

from controller.metrics import Metrics
from controller.reconcile.views import Key
from controller.reconcile_workers import Reconcile
from serving.logs import get_logger

_AFTER_FAULT: Final = timedelta(seconds=30)
_log = get_logger(__name__)


def guarded_reconcile(kind: str, turn: Reconcile, metrics: Metrics) -> Reconcile:
    """Make of a turn one that never raises; `kind` is for log and metrics.

    An object whose turn failed by a fault of ours has the next one half a minute later.
    """

    async def guarded_turn(key: Key, now: datetime) -> datetime | None:
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            wake = await turn(key, now)
        except Exception:  # noqa: BLE001 - one object must not stop all others
            _log.exception("internal error", kind=kind, object=str(key))
            metrics.fault(kind)
            wake = now + _AFTER_FAULT
        metrics.turn(kind, clock() - started)
        return wake

    return guarded_turn
