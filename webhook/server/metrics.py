"""What Prometheus may ask for."""

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

from kube.watching import WatchCache
from webhook.driver.cluster_lookups import CachedObject, LookupSource
from webhook.model.verdicts import Inject, Refuse, Verdict

_PREFIX: Final = "trialwatch_webhook"
_SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one webhook, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._reviews = self._counter(
            "reviews", "Pods judged, by what became of them and why.", "verdict", "reason"
        )
        self._experiments = self._counter(
            "experiment_reviews", "Experiments judged, by path and verdict.", "path", "verdict"
        )
        self._seconds = Histogram(
            f"{_PREFIX}_review_seconds",
            "How long it took from a review's arrival to its answer.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._lookups = self._counter(
            "lookups", "Objects looked up, by kind and by where the answer was.", "kind", "source"
        )
        self._rejected = self._counter(
            "rejected_requests", "Requests that were no review, by HTTP status.", "code"
        )
        self._faults = self._counter("faults", "Reviews that failed by a fault of ours.")
        self._events = self._counter("events", "Events about refused pods.", "outcome")

    def _counter(self, name: str, sentence: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", sentence, labels, registry=self.registry)

    def judged(self, verdict: Verdict, seconds: float) -> None:
        """Count a review."""
        self._reviews.labels(_word(verdict), verdict.reason.value).inc()
        self._seconds.observe(seconds)

    def judged_experiment(self, path: str, verdict: str, seconds: float) -> None:
        """Count the review of an experiment: `allow`, `patch`, `refuse`, or `fail`."""
        self._experiments.labels(path.removeprefix("/"), verdict).inc()
        self._seconds.observe(seconds)

    def looked_up(self, kind: str, source: LookupSource) -> None:
        """Count a look-up."""
        self._lookups.labels(kind, source.value).inc()

    def rejected(self, code: int) -> None:
        """Count a request that was no review."""
        self._rejected.labels(str(code)).inc()

    def failed(self) -> None:
        """Count a review that we are to blame for."""
        self._faults.inc()

    def told(self, outcome: str) -> None:
        """Count an Event: `posted`, `throttled` or `failed`."""
        self._events.labels(outcome).inc()

    def watch(self, caches: Iterable[WatchCache[CachedObject]]) -> None:
        """Show the state of caches from now on."""
        self.registry.register(_Caches(tuple(caches)))

    def watch_certificate(self, expires: Callable[[], float | None]) -> None:
        """Show from now on until when the certificate is good."""
        Gauge(
            f"{_PREFIX}_certificate_expires_seconds",
            "Until when the certificate is good, in seconds since 1970; 0: there is none yet.",
            registry=self.registry,
        ).set_function(lambda: expires() or 0.0)

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)


class _Caches(Collector):
    """Reads the caches when it is asked."""

    def __init__(self, caches: tuple[WatchCache[CachedObject], ...]) -> None:
        self._caches = caches

    def collect(self) -> Iterator[Metric]:
        """Give what is true now."""
        objects = _gauge("cached_objects", "Objects in memory, by kind.")
        synced = _gauge("cache_up_to_date", "Whether what is in memory is up to date: 1 or 0.")
        lists = _total("cache_lists", "How often all objects of a kind were listed.")
        failures = _total("cache_failures", "How often watching a kind was interrupted.")
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
