"""The metrics that Prometheus reads."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
)

from dbmanager.store.contract import Receipt

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The metrics of one server, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "trialwatch_dbmanager_requests",
            "Requests answered, by method and gRPC code.",
            ("method", "code"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "trialwatch_dbmanager_request_seconds",
            "Duration of requests; of a stream, until its end.",
            ("method",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._rows = self._counter("rows_stored", "Points stored.")
        self._repeats = self._counter("repeats_refused", "Reports received before: nothing stored.")
        self._gaps = self._counter("sequence_gaps", "Numbers that sources have skipped.")
        self._skipped = self._counter(
            "points_skipped", "Points without a time stamp, from clients of Katib: not stored."
        )
        self._refused = Counter(
            "trialwatch_dbmanager_calls_refused",
            "Calls that the caller may not do, by reason.",
            ("reason",),
            registry=self.registry,
        )
        self._without_token = Counter(
            "trialwatch_dbmanager_calls_without_token",
            "Calls without a token, by method; `--auth permissive` allows most of them.",
            ("method",),
            registry=self.registry,
        )
        self._up = Gauge(
            "trialwatch_dbmanager_database_up",
            "1 if the database answered the last ping, else 0.",
            registry=self.registry,
        )

    def _counter(self, name: str, sentence: str) -> Counter:
        return Counter(f"trialwatch_dbmanager_{name}", sentence, registry=self.registry)

    def answered(self, method: str, code: str, seconds: float) -> None:
        """Count a request; `method` is `/package.Service/Method`, `code` as `INVALID_ARGUMENT`."""
        self._requests.labels(method, code).inc()
        self._seconds.labels(method).observe(seconds)

    def reported(self, receipt: Receipt) -> None:
        """Count the rows, the repeat and the gap of a report."""
        self._rows.inc(receipt.stored)
        self._repeats.inc(receipt.repeat)
        self._gaps.inc(receipt.gap)

    def skipped(self, count: int) -> None:
        """Count the points of a report that had no time stamp and were not stored."""
        self._skipped.inc(count)

    def access_refused(self, reason: str) -> None:
        """Count a call that its caller may not do."""
        self._refused.labels(reason).inc()

    def without_token(self, method: str) -> None:
        """Count a call without a token that is allowed to go on."""
        self._without_token.labels(method).inc()

    def database(self, up: bool) -> None:  # noqa: FBT001 - the only argument of the method
        """Record whether the database answers."""
        self._up.set(up)
