"""Reconciles that are timed and counted, and whose internal errors do not stop other objects."""

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


def guarded_reconcile(kind: str, reconcile: Reconcile, metrics: Metrics) -> Reconcile:
    """Return a reconcile that never raises; `kind` is for log and metrics.

    After an internal error the object is reconciled again half a minute later.
    """

    async def guarded(key: Key, now: datetime) -> datetime | None:
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            wake = await reconcile(key, now)
        except Exception:  # noqa: BLE001 - one object must not stop the others
            _log.exception("internal error", kind=kind, object=str(key))
            metrics.count_fault(kind)
            wake = now + _AFTER_FAULT
        metrics.observe_reconcile(kind, clock() - started)
        return wake

    return guarded
