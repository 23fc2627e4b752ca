"""The early stop of an attempt: the request to the launcher, then the report to the service."""

from __future__ import annotations

from api.errors import RemoteError, Unavailable
from collector.core.batches import CarryOver
from collector.core.plan import CollectorPlan
from collector.core.ports import Ports

SETTLE_SECONDS = 30.0
"""How long the collector repeats the report to an early-stopping service that is unavailable."""


class EarlyStop:
    """Stops the trainer once all stop rules are met, and reports the stop to the service."""

    def __init__(self, plan: CollectorPlan, ports: Ports, attempt: int) -> None:
        """Watch over one attempt, by its number."""
        self._rules = plan.rules
        self._ports = ports
        self._attempt = attempt
        self._requested = False
        self._reporting_since: float | None = None

    def stop_if_due(self, known: CarryOver) -> None:
        """Ask the launcher, once, to end the trainer if all rules are met."""
        if self._requested or not self.is_due(known):
            return
        self._requested = True
        self._ports.log.note("all stop rules are met: stopping the trainer")
        if self._ports.before_stop is not None:
            self._ports.before_stop()
        self._ports.trainer.stop(self._attempt)

    def is_due(self, known: CarryOver) -> bool:
        """Return whether all rules are met, so that the collector has stopped the trainer."""
        return self._rules is not None and self._rules.stop(known.stop)

    def report(self) -> bool:
        """Report the stop to the service; return False where the report must be repeated."""
        service, now = self._ports.early_stopping, self._ports.clock.monotonic()
        since = self._reporting_since = self._reporting_since or now
        try:
            if service is not None:
                service.stopped()
        except Unavailable as error:
            if now - since < SETTLE_SECONDS:
                return False
            self._ports.log.write(f"cannot report the early stop: {error}")
        except RemoteError as error:
            self._ports.log.write(f"the early-stopping service refused the report: {error}")
        return True
