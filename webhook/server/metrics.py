"""The metrics of the webhook, in Prometheus' format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kube.watch_cache import WatchCache
from webhook.driver.cluster_lookups import CachedObject, LookupSource
from webhook.model.verdicts import Inject, Refuse, Verdict

_PREFIX: Final = "trialwatch_webhook"
_SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one webhook, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._reviews = self._counter(
            "reviews", "Reviews of pods, by verdict and reason.", "verdict", "reason"
        )
        self._experiments = self._counter(
            "experiment_reviews", "Reviews of experiments, by path and verdict.", "path", "verdict"
        )
        self._seconds = Histogram(
            f"{_PREFIX}_review_seconds",
            "Seconds from the arrival of a review to its answer.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._lookups = self._counter(
            "lookups", "Look-ups of objects, by kind and source of the answer.", "kind", "source"
        )
        self._rejected = self._counter(
            "rejected_requests",
            "Requests that were not valid AdmissionReviews, by HTTP status.",
            "code",
        )
        self._faults = self._counter(
            "faults", "Reviews that failed through a fault of the webhook."
        )
        self._events = self._counter("events", "Events about refused pods, by outcome.", "outcome")

    def _counter(self, name: str, sentence: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", sentence, labels, registry=self.registry)

    def count_pod_review(self, verdict: Verdict, seconds: float) -> None:
        """Count a review of a pod; `seconds` from its arrival to its answer."""
        self._reviews.labels(_word(verdict), verdict.reason.value).inc()
        self._seconds.observe(seconds)

    def count_experiment_review(self, path: str, verdict: str, seconds: float) -> None:
        """Count a review of an experiment; the verdict is `allow`, `patch`, `refuse` or `fail`."""
        self._experiments.labels(path.removeprefix("/"), verdict).inc()
        self._seconds.observe(seconds)

    def count_lookup(self, kind: str, source: LookupSource) -> None:
        """Count a look-up."""
        self._lookups.labels(kind, source.value).inc()

    def count_rejected_request(self, code: int) -> None:
        """Count a request that was not a valid AdmissionReview, by its HTTP status."""
        self._rejected.labels(str(code)).inc()

    def count_fault(self) -> None:
        """Count a review that failed through a fault of the webhook."""
        self._faults.inc()

    def count_event(self, outcome: str) -> None:
        """Count an Event: `posted`, `throttled` or `failed`."""
        self._events.labels(outcome).inc()

    def show_caches(self, caches: Iterable[WatchCache[CachedObject]]) -> None:
        """Export the state of these caches."""
        self.registry.register(_Caches(tuple(caches)))

    def show_certificate(self, expires: Callable[[], float | None]) -> None:
        """Export when the certificate expires."""
        Gauge(
            f"{_PREFIX}_certificate_expires_seconds",
            "When the certificate expires, in seconds since 1970; 0: there is none yet.",
            registry=self.registry,
        ).set_function(lambda: expires() or 0.0)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class _Caches(Collector):
    """Reads the state of the caches at each scrape."""

    def __init__(self, caches: tuple[WatchCache[CachedObject], ...]) -> None:
        self._caches = caches

    def collect(self) -> Iterator[Metric]:
        """Yield the state of the caches."""
        objects = _gauge("cached_objects", "Objects in memory, by kind.")
        synced = _gauge("cache_up_to_date", "Whether the watch is running without trouble: 1 or 0.")
        lists = _total("cache_lists", "Times that all objects of a kind were listed.")
        failures = _total("cache_failures", "Times that an error interrupted the watch of a kind.")
        for cache in self._caches:
            kind = [cache.scope.kind.kind]
            objects.add_metric(kind, len(cache))
            synced.add_metric(kind, cache.is_synced and not cache.trouble)
            lists.add_metric(kind, cache.lists)
            failures.add_metric(kind, cache.failures)
        yield from (objects, synced, lists, failures)


def _gauge(name: str, sentence: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", sentence, labels=["kind"])


def _total(name: str, sentence: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"{_PREFIX}_{name}", sentence, labels=["kind"])


def _word(verdict: Verdict) -> str:
    match verdict:
        case Inject():
            return "inject"
        case Refuse():
            return "refuse"
        case _:
            return "skip"
