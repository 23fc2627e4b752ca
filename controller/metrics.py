"""The metrics that Prometheus collects."""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from controller.lifecycle_counters import LifecycleEvent
from kube.events import OUTCOMES
from serving.metric_families import ANY, DeclaredMetric, MetricFamilies

_KINDS: Final = ("experiment", "trial")
_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300)
_FINAL_EVENTS: Final = {
    "experiment": (LifecycleEvent.SUCCEEDED, LifecycleEvent.FAILED),
    "trial": (LifecycleEvent.SUCCEEDED, LifecycleEvent.FAILED, LifecycleEvent.METRICS_UNAVAILABLE),
}
_EVENT_TEXTS: Final = {LifecycleEvent.METRICS_UNAVAILABLE: "ended without metrics"}
ObjectStates = Callable[[], Iterable[tuple[str, str]]]
"""Returns (namespace, state) of each object."""


class Metrics:
    """The metrics of one controller, in a registry of their own."""

    def __init__(self) -> None:
        own = MetricFamilies("trialwatch_controller")
        katib = MetricFamilies("katib", own.registry)
        self.registry, self._families = own.registry, (own, katib)
        self._queues: dict[str, Callable[[], int]] = {}
        self._states: dict[str, ObjectStates] = {}
        self._leading = own.gauge("leading", "Whether this replica leads: 1 or 0.")
        self._seconds = own.histogram(
            "turn_seconds", "How long reconciles took, by kind.", buckets=_SECONDS, kind=_KINDS
        )
        self._errors = own.counter("turn_errors", "Reconciles that failed, by kind.", kind=_KINDS)
        self._faults = own.counter(
            "faults", "Reconciles that failed by an internal error, by kind.", kind=_KINDS
        )
        self._events = own.counter("events", "Events about objects.", outcome=OUTCOMES)
        self._lifecycle = {
            (kind, event): katib.counter(f"{kind}_{event}", sentence, namespace=ANY)
            for kind, event, sentence in _lifecycle_counters()
        }
        self.registry.register(_CurrentState(own, katib, self._queues, self._states))

    @property
    def declared(self) -> tuple[DeclaredMetric, ...]:
        """The declarations of all metrics but those of the process."""
        return tuple(metric for families in self._families for metric in families.declared)

    def observe_reconcile(self, kind: str, seconds: float) -> None:
        """Count a reconcile and its duration, in seconds."""
        self._seconds.labels(kind).observe(seconds)

    def count_error(self, kind: str) -> None:
        """Count a reconcile that failed and will be repeated."""
        self._errors.labels(kind).inc()

    def count_fault(self, kind: str) -> None:
        """Count a reconcile that failed by an internal error."""
        self._faults.labels(kind).inc()

    def count_event(self, outcome: str) -> None:
        """Count an Event: `posted`, `throttled` or `failed`."""
        self._events.labels(outcome).inc()

    def count_lifecycle_event(self, kind: str, namespace: str, event: LifecycleEvent) -> None:
        """Increment one of Katib's counters; `kind` is experiment or trial."""
        self._lifecycle[kind, event].labels(namespace).inc()

    def set_leading(self, *, leading: bool) -> None:
        """Set whether this replica leads."""
        self._leading.set(leading)

    def watch_queue(self, kind: str, depth: Callable[[], int]) -> None:
        """Export the length of a queue, read at each scrape."""
        self._queues[kind] = depth

    def watch_states(self, kind: str, states: ObjectStates) -> None:
        """Export the number of objects by state, read at each scrape.

        `kind` is experiments or trials.
        """
        self._states[kind] = states

    def clear(self) -> None:
        """Stop exporting queues and objects: this replica does not lead any more."""
        self._queues.clear()
        self._states.clear()

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


def _lifecycle_counters() -> Iterator[tuple[str, LifecycleEvent, str]]:
    """Yield Katib's counters: kind, counted event, and help text."""
    for kind, final in _FINAL_EVENTS.items():
        for event in (LifecycleEvent.CREATED, LifecycleEvent.DELETED, *final):
            description = _EVENT_TEXTS.get(event, event.value)
            yield kind, event, f"Number of {kind}s {description}, by namespace."


class _CurrentState(Collector):
    """Reads queues and states at each scrape."""

    def __init__(
        self,
        own: MetricFamilies,
        katib: MetricFamilies,
        queues: Mapping[str, Callable[[], int]],
        states: Mapping[str, ObjectStates],
    ) -> None:
        self._queues, self._states = queues, states
        self._depth = own.scraped_gauge(
            "queue_depth", "Objects that are due and wait, by kind.", kind=_KINDS
        )
        self._current = {
            kind: katib.scraped_gauge(
                f"{kind}_current",
                f"Number of {kind}, by namespace and state.",
                namespace=ANY,
                status=ANY,
            )
            for kind in ("experiments", "trials")
        }

    def collect(self) -> Iterator[Metric]:
        """Yield the current numbers."""
        depth = self._depth()
        for kind, waiting in self._queues.items():
            depth.add_metric([kind], waiting())
        yield depth
        for kind, make in self._current.items():
            current = make()
            states = self._states.get(kind)
            for labels_of_group, count in sorted(Multiset(states() if states else ()).items()):
                current.add_metric(list(labels_of_group), count)
            yield current
