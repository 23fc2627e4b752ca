"""The metrics that Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector


class Metrics:
    """The metrics of one service, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._waiting = Gauge(
            "trialwatch_suggestion_calls_waiting",
            "Calls that wait for a worker.",
            registry=self.registry,
        )
        self._running = Gauge(
            "trialwatch_suggestion_calls_running",
            "Calls that a worker is busy with.",
            registry=self.registry,
        )
        self._dropped = Counter(
            "trialwatch_suggestion_calls_dropped",
            "Calls that ended without a worker, by reason: queue_full, deadline, abandoned.",
            ("reason",),
            registry=self.registry,
        )
        self._killed = Counter(
            "trialwatch_suggestion_searches_killed",
            "Searches that were stopped, by reason: deadline, abandoned, memory, died.",
            ("reason",),
            registry=self.registry,
        )
        self._refused = Counter(
            "trialwatch_suggestion_calls_refused",
            "Calls that the caller may not do, by reason.",
            ("reason",),
            registry=self.registry,
        )
        self._without_token = Counter(
            "trialwatch_suggestion_calls_without_token",
            "Calls without a token, by method; `--auth permissive` allows most of them.",
            ("method",),
            registry=self.registry,
        )

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
