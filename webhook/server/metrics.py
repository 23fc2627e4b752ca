"""The metrics of the webhook, in Prometheus' format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from kube.events import OUTCOMES
from kube.watch_cache import WatchCache
from serving.metric_families import ANY, DeclaredMetric, MetricFamilies
from webhook.driver.cluster_lookups import CachedObject, LookupSource
from webhook.model.verdicts import Inject, Refuse, Verdict

_SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_VERDICTS: Final = ("inject", "refuse", "skip")


class Metrics:
    """The metrics of one webhook, in their own registry."""

    def __init__(self) -> None:
        families = MetricFamilies("trialwatch_webhook")
        self.registry, self._families = families.registry, families
        self._reviews = families.counter(
            "reviews", "Reviews of pods, by verdict and reason.", verdict=_VERDICTS, reason=ANY
        )
        self._experiments = families.counter(
            "experiment_reviews",
            "Reviews of experiments, trials and their CRDs, by path and verdict.",
            path=(
                "mutate-experiment",
                "validate-experiment",
                "validate-trial",
                "release-finalizers",
            ),
            verdict=("allow", "patch", "refuse", "fail"),
        )
        self._seconds = families.histogram(
            "review_seconds",
            "Seconds from the arrival of a review to its answer.",
            buckets=_SECONDS,
        )
        self._lookups = families.counter(
            "lookups",
            "Look-ups of objects, by kind and source of the answer.",
            kind=ANY,
            source=LookupSource,
        )
        self._rejected = families.counter(
            "rejected_requests",
            "Requests that were not valid AdmissionReviews, by HTTP status.",
            code=ANY,
        )
        self._faults = families.counter(
            "faults", "Reviews that failed through a fault of the webhook."
        )
        self._events = families.counter(
            "events", "Events about refused pods, by outcome.", outcome=OUTCOMES
        )
        self._caches = _Caches(families)
        self.registry.register(self._caches)
        self._expires: Callable[[], float | None] = lambda: None
        certificate = families.gauge(
            "certificate_expires_seconds",
            "When the certificate expires, in seconds since 1970; 0: there is none yet.",
        )
        certificate.set_function(lambda: self._expires() or 0.0)

    @property
    def declared(self) -> tuple[DeclaredMetric, ...]:
        """The declarations of all metrics but those of the process."""
        return self._families.declared

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
        self._caches.shown = tuple(caches)

    def show_certificate(self, expires: Callable[[], float | None]) -> None:
        """Export when the certificate expires."""
        self._expires = expires

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class _Caches(Collector):
    """Reads the state of the caches at each scrape."""

    def __init__(self, families: MetricFamilies) -> None:
        self.shown: tuple[WatchCache[CachedObject], ...] = ()
        self._objects = families.scraped_gauge(
            "cached_objects", "Objects in memory, by kind.", kind=ANY
        )
        self._synced = families.scraped_gauge(
            "cache_up_to_date", "Whether the watch is running without trouble: 1 or 0.", kind=ANY
        )
        self._lists = families.scraped_counter(
            "cache_lists", "Times that all objects of a kind were listed.", kind=ANY
        )
        self._failures = families.scraped_counter(
            "cache_failures", "Times that an error interrupted the watch of a kind.", kind=ANY
        )

    def collect(self) -> Iterator[Metric]:
        """Yield the state of the caches."""
        objects, synced = self._objects(), self._synced()
        lists, failures = self._lists(), self._failures()
        for cache in self.shown:
            kind = [cache.scope.kind.kind]
            objects.add_metric(kind, len(cache))
            synced.add_metric(kind, cache.is_synced and not cache.trouble)
            lists.add_metric(kind, cache.lists)
            failures.add_metric(kind, cache.failures)
        yield from (objects, synced, lists, failures)


def _word(verdict: Verdict) -> str:
    match verdict:
        case Inject():
            return "inject"
        case Refuse():
            return "refuse"
        case _:
            return "skip"
