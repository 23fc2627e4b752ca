"""The metrics that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable

from serving.access.refusals import Reason
from serving.metric_families import ANY, DeclaredMetric, MetricFamilies


class Metrics:
    """The metrics of one service, in their own registry."""

    def __init__(self) -> None:
        families = MetricFamilies("trialwatch_suggestion")
        self.registry, self._families = families.registry, families
        self._waiting = families.gauge("calls_waiting", "Calls that wait for a worker.")
        self._running = families.gauge("calls_running", "Calls that a worker is busy with.")
        self._dropped = families.counter(
            "calls_dropped",
            "Calls that ended without a worker, by reason: queue_full, deadline, abandoned.",
            reason=("queue_full", "deadline", "abandoned"),
        )
        self._killed = families.counter(
            "searches_killed",
            "Searches that were stopped, by reason: deadline, abandoned, memory, died.",
            reason=("deadline", "abandoned", "memory", "died"),
        )
        self._refused = families.counter(
            "calls_refused", "Calls that the caller may not do, by reason.", reason=Reason
        )
        self._without_token = families.counter(
            "calls_without_token",
            "Calls without a token, by method; `--auth permissive` allows most of them.",
            method=ANY,
        )
        self._expires = families.late_gauge(
            "certificate_expires_seconds",
            "When the certificate of `--tls-cert` expires, in seconds since 1970.",
        )

    @property
    def declared(self) -> tuple[DeclaredMetric, ...]:
        """The declarations of all metrics but those of the process."""
        return self._families.declared

    def certificate(self, expires: Callable[[], float]) -> None:
        """Export when the server's certificate expires; without TLS there is no value."""
        self._expires.show(expires)

    def access_refused(self, reason: str) -> None:
        """Count a call that its caller may not do."""
        self._refused.labels(reason).inc()

    def without_token(self, method: str) -> None:
        """Count a call without a token that is allowed to go on."""
        self._without_token.labels(method).inc()

    def calls(self, *, waiting: int, running: int) -> None:
        """Record how many calls wait and run."""
        self._waiting.set(waiting)
        self._running.set(running)

    def dropped(self, reason: str) -> None:
        """Count a call that ended without a worker."""
        self._dropped.labels(reason).inc()

    def killed(self, reason: str) -> None:
        """Count a search that was stopped."""
        self._killed.labels(reason).inc()
