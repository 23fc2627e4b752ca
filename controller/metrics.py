"""What Prometheus may ask for."""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controller.lifecycle_counters import LifecycleEvent

_PREFIX: Final = "trialwatch_controller"
_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300)
_ENDINGS: Final = {
    "experiment": (LifecycleEvent.SUCCEEDED, LifecycleEvent.FAILED),
    "trial": (LifecycleEvent.SUCCEEDED, LifecycleEvent.FAILED, LifecycleEvent.METRICS_UNAVAILABLE),
}
Counted = Callable[[], Iterable[tuple[str, str]]]
"""Gives (namespace, state) of each object."""


class Metrics:
    """The counters of one controller, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._queues: dict[str, Callable[[], int]] = {}
        self._states: dict[str, Counted] = {}
        self._seconds = Histogram(
            f"{_PREFIX}_turn_seconds",
            "How long the turns of objects took, by kind.",
            ["kind"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._errors = self._counter("turn_errors", "Turns that failed, by kind.", "kind")
        self._faults = self._counter("faults", "Turns that failed by a fault of ours.", "kind")
        self._events = self._counter("events", "Events about objects.", "outcome")
        self._happened = {
            (kind, happened): Counter(
                f"katib_{kind}_{happened}", sentence, ["namespace"], registry=self.registry
            )
            for kind, happened, sentence in _counters()
        }
        self._leading = Gauge(
            f"{_PREFIX}_leading", "Whether this replica works: 1 or 0.", registry=self.registry
        )
        self.registry.register(_Live(self._queues, self._states))

    def _counter(self, name: str, sentence: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", sentence, labels, registry=self.registry)

    def turn(self, kind: str, seconds: float) -> None:
        """Count a turn."""
        self._seconds.labels(kind).observe(seconds)

    def error(self, kind: str) -> None:
        """Count a turn that failed, and will be repeated."""
        self._errors.labels(kind).inc()

    def fault(self, kind: str) -> None:
        """Count a turn that we are to blame for."""
        self._faults.labels(kind).inc()

    def told(self, outcome: str) -> None:
        """Count an Event: `posted`, `throttled` or `failed`."""
        self._events.labels(outcome).inc()

    def happened(self, kind: str, namespace: str, happened: LifecycleEvent) -> None:
        """Count what Katib counts; `kind` is experiment or trial."""
        self._happened[kind, happened].labels(namespace).inc()

    def leads(self, *, leading: bool) -> None:
        """Show whether this replica works."""
        self._leading.set(leading)

    def watch_queue(self, kind: str, depth: Callable[[], int]) -> None:
        """Show how many objects wait for their turn, from now on."""
        self._queues[kind] = depth

    def watch_states(self, kind: str, states: Counted) -> None:
        """Show how many objects there are, by Katib's names; `kind` is as these have it."""
        self._states[kind] = states

    def forget(self) -> None:
        """Show no more queues and objects: this replica knows of none."""
        self._queues.clear()
        self._states.clear()

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)


def _counters() -> Iterator[tuple[str, LifecycleEvent, str]]:
    """Yield Katib's counters: kind, what is counted, and the sentence."""
    for kind, endings in _ENDINGS.items():
        for happened in (LifecycleEvent.CREATED, LifecycleEvent.DELETED, *endings):
            words = happened.replace("_", " ")
            yield kind, happened, f"The {kind}s that were seen to be {words}, by namespace."


class _Live(Collector):
    """Reads what is true at the moment when it is asked."""

    def __init__(
        self, queues: Mapping[str, Callable[[], int]], states: Mapping[str, Counted]
    ) -> None:
        self._queues, self._states = queues, states

    def collect(self) -> Iterator[Metric]:
        """Give what is true now."""
        sentence = "Objects that wait for their turn, by kind."
        depth = GaugeMetricFamily(f"{_PREFIX}_queue_depth", sentence, labels=["kind"])
        for kind, waiting in self._queues.items():
            depth.add_metric([kind], waiting())
        yield depth
        for kind in ("experiments", "trials"):
            sentence = f"The {kind} that are there, by namespace and state."
            labels = ["namespace", "status"]
            current = GaugeMetricFamily(f"katib_{kind}_current", sentence, labels=labels)
            states = self._states.get(kind)
            for place, count in sorted(Multiset(states() if states else ()).items()):
                current.add_metric(list(place), count)
            yield current
