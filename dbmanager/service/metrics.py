"""The metrics that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable

from api.trialwatchv1 import observations_pb2
from api.v1beta1 import api_pb2
from dbmanager.store.contract import Receipt
from serving.access.refusals import Reason
from serving.metric_families import ANY, DeclaredMetric, MetricFamilies

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SERVICES = (
    api_pb2.DESCRIPTOR.services_by_name["DBManager"],
    observations_pb2.DESCRIPTOR.services_by_name["Observations"],
)
_METHODS = tuple(
    f"/{service.full_name}/{method.name}" for service in _SERVICES for method in service.methods
)
_CODES = (
    *("OK", "CANCELLED", "DEADLINE_EXCEEDED", "FAILED_PRECONDITION", "INTERNAL"),
    *("INVALID_ARGUMENT", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED"),
    "UNAVAILABLE",
)


class Metrics:
    """The metrics of one server, in their own registry."""

    def __init__(self) -> None:
        families = MetricFamilies("trialwatch_dbmanager")
        self.registry, self._families = families.registry, families
        self._requests = families.counter(
            "requests", "Requests answered, by method and gRPC code.", method=_METHODS, code=_CODES
        )
        self._seconds = families.histogram(
            "request_seconds",
            "Duration of requests; of a stream, until its end.",
            buckets=_BUCKETS,
            method=_METHODS,
        )
        self._rows = families.counter("rows_stored", "Points stored.")
        self._repeats = families.counter(
            "repeats_refused", "Reports received before: nothing stored."
        )
        self._gaps = families.counter("sequence_gaps", "Numbers that sources have skipped.")
        self._skipped = families.counter(
            "points_skipped", "Points without a time stamp, from clients of Katib: not stored."
        )
        self._refused = families.counter(
            "calls_refused", "Calls that the caller may not do, by reason.", reason=Reason
        )
        self._without_token = families.counter(
            "calls_without_token",
            "Calls without a token, by method; `--auth permissive` allows most of them.",
            method=ANY,
        )
        self._up = families.gauge(
            "database_up", "1 if the database answered the last ping, else 0."
        )
        self._expires = families.late_gauge(
            "certificate_expires_seconds",
            "When the certificate of `--tls-cert` expires, in seconds since 1970.",
        )

    @property
    def declared(self) -> tuple[DeclaredMetric, ...]:
        """The declarations of all metrics but those of the process."""
        return self._families.declared

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

    def certificate(self, expires: Callable[[], float]) -> None:
        """Export when the server's certificate expires; without TLS there is no value."""
        self._expires.show(expires)

    def access_refused(self, reason: str) -> None:
        """Count a call that its caller may not do."""
        self._refused.labels(reason).inc()

    def without_token(self, method: str) -> None:
        """Count a call without a token that is allowed to go on."""
        self._without_token.labels(method).inc()

    def database(self, up: bool) -> None:  # noqa: FBT001 - the only argument of the method
        """Record whether the database answers."""
        self._up.set(up)
