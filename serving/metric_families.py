"""Declares the metrics of a program: once, with all that a dashboard or an alert must know of them.

A label is declared with its known values. If all labels of a metric have known values, each of its
series is exported as 0 from the start. So a rate sees the first event too: Prometheus cannot tell a
series that begins at 1 from one that has always been 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

ANY: Final[tuple[str, ...]] = ()
"""The values of a label that are not known in advance, such as namespaces."""


class MetricType(StrEnum):
    """The type of a metric, as Prometheus names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredMetric:
    """A metric as Prometheus sees it."""

    name: str
    """A counter ends in `_total`; a histogram has its name without `_bucket`, `_sum`, `_count`."""
    type: MetricType
    sentence: str
    labels: Mapping[str, tuple[str, ...]]
    """The known values of each label; `ANY` if they are not known."""


class LateGauge(Collector):
    """A gauge without a value until `show`: what it measures may not exist in this process."""

    def __init__(self, make: Callable[[], GaugeMetricFamily]) -> None:
        self._make = make
        self._read: Callable[[], float] | None = None

    def show(self, read: Callable[[], float]) -> None:
        """Export what `read` returns at each scrape."""
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield the value, if there is one."""
        family = self._make()
        if self._read is not None:
            family.add_metric([], self._read())
        yield family


class MetricFamilies:
    """Makes the metrics with one prefix, in a registry, and remembers what it has declared."""

    def __init__(self, prefix: str, registry: CollectorRegistry | None = None) -> None:
        """Without a `registry`, make one that also exports the metrics of the process."""
        if registry is None:
            registry = CollectorRegistry()
            ProcessCollector(registry=registry)
        self.registry = registry
        self._prefix = prefix
        self._declared: list[DeclaredMetric] = []

    @property
    def declared(self) -> tuple[DeclaredMetric, ...]:
        """All metrics with this prefix, in the order of their declaration."""
        return tuple(self._declared)

    def counter(self, name: str, sentence: str, **labels: Iterable[str]) -> Counter:
        """Declare a counter; `name` without prefix and `_total`."""
        declared = self._declare(MetricType.COUNTER, name, sentence, labels)
        counter = Counter(self._full(name), sentence, list(labels), registry=self.registry)
        _start_at_zero(counter, declared)
        return counter

    def gauge(self, name: str, sentence: str, **labels: Iterable[str]) -> Gauge:
        """Declare a gauge."""
        declared = self._declare(MetricType.GAUGE, name, sentence, labels)
        gauge = Gauge(self._full(name), sentence, list(labels), registry=self.registry)
        _start_at_zero(gauge, declared)
        return gauge

    def histogram(
        self, name: str, sentence: str, *, buckets: Sequence[float], **labels: Iterable[str]
    ) -> Histogram:
        """Declare a histogram with these upper bounds, in seconds."""
        declared = self._declare(MetricType.HISTOGRAM, name, sentence, labels)
        histogram = Histogram(
            self._full(name), sentence, list(labels), buckets=buckets, registry=self.registry
        )
        _start_at_zero(histogram, declared)
        return histogram

    def scraped_gauge(
        self, name: str, sentence: str, **labels: Iterable[str]
    ) -> Callable[[], GaugeMetricFamily]:
        """Declare a gauge that a collector fills at each scrape; return what makes an empty one."""
        self._declare(MetricType.GAUGE, name, sentence, labels)
        return lambda: GaugeMetricFamily(self._full(name), sentence, labels=list(labels))

    def late_gauge(self, name: str, sentence: str) -> LateGauge:
        """Declare a gauge that has no value before its `show`."""
        gauge = LateGauge(self.scraped_gauge(name, sentence))
        self.registry.register(gauge)
        return gauge

    def scraped_counter(
        self, name: str, sentence: str, **labels: Iterable[str]
    ) -> Callable[[], CounterMetricFamily]:
        """Declare the same for a counter."""
        self._declare(MetricType.COUNTER, name, sentence, labels)
        return lambda: CounterMetricFamily(self._full(name), sentence, labels=list(labels))

    def _declare(
        self, kind: MetricType, name: str, sentence: str, labels: Mapping[str, Iterable[str]]
    ) -> DeclaredMetric:
        declared = DeclaredMetric(
            name=self._full(name) + ("_total" if kind is MetricType.COUNTER else ""),
            type=kind,
            sentence=sentence,
            labels={label: tuple(map(str, values)) for label, values in labels.items()},
        )
        self._declared.append(declared)
        return declared

    def _full(self, name: str) -> str:
        return f"{self._prefix}_{name}"


def _start_at_zero(metric: Counter | Gauge | Histogram, declared: DeclaredMetric) -> None:
    """Export each series whose labels are all known."""
    if declared.labels:  # a metric without labels is exported anyway
        for values in itertools.product(*declared.labels.values()):
            metric.labels(*values)
