"""From what the store says of a trial to its observation, or to the cause of its absence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from api.faults import quoted
from api.metric_values import objective_value, strategy_of
from api.names import INJECTION_ENABLED, INJECTION_LABEL, UNAVAILABLE
from api.types import (
    CollectorKind,
    Objective,
    Observation,
    ObservedMetric,
    Strategy,
)
from controller.reconcile.termination_message import TerminationMessage, parse_termination_message
from controller.reconcile.views import (
    MetricSummary,
    PodFacts,
    StoredMetrics,
    StoreUnavailable,
    TrialView,
)

_LINES_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationResult:
    """What there is to be had of a trial's metrics."""

    observation: Observation | None = None
    """None where nothing at all was measured."""
    usable: bool = False
    """The objective has a finite number by its strategy."""
    final: bool = False
    """Waiting would change nothing."""
    cause: str = ""
    """Why it is not usable."""


def find_observation(view: TrialView) -> ObservationResult:
    """Judge what the store and the collector's last words say.

    | store | last words | taken | final |
    |---|---|---|---|
    | has the objective | delivered, or none | the store | yes |
    | has it or not | not delivered, have the objective | the words | yes |
    | has it not | else | nothing | where the store says `unavailable`, or the training pushes |
    | away | have the objective | the words | where they are not delivered |
    | away | have it not | nothing | no |
    """
    objective = view.trial.spec.objective or Objective()
    words = parse_termination_message(view.job.pods.termination_message)
    stored = view.observed.metrics if isinstance(view.observed, StoredMetrics) else ()
    undelivered = words.delivered is False
    if _usable(words.metrics, objective) and (
        undelivered or not isinstance(view.observed, StoredMetrics)
    ):
        return ObservationResult(
            observation=observation_of(words.metrics, objective), usable=True, final=undelivered
        )
    if _usable(stored, objective):
        return ObservationResult(
            observation=observation_of(stored, objective), usable=True, final=True
        )
    known = _summary(stored, objective.metric)
    told = known is not None and UNAVAILABLE in (known.first, known.last)
    pushes = view.trial.spec.collector is not None and (
        view.trial.spec.collector.kind is CollectorKind.PUSH
    )
    return ObservationResult(
        observation=observation_of(stored or words.metrics, objective),
        final=told or (pushes and isinstance(view.observed, StoredMetrics)),
        cause=_cause(view, objective, words),
    )


def observation_of(metrics: Iterable[MetricSummary], objective: Objective) -> Observation | None:
    """Fold summaries to an observation, in the order of the objective's metrics.

    Texts are kept as they were written; only finite numbers are a `min` or a `max`.
    """
    by_name = {metric.name: metric for metric in metrics}
    found = [by_name[name] for name in objective.metrics if name in by_name]
    if not found:
        return None
    return Observation(
        metrics=tuple(
            ObservedMetric(
                name=metric.name,
                min=metric.min or UNAVAILABLE,
                max=metric.max or UNAVAILABLE,
                latest=metric.last,
            )
            for metric in found
        )
    )


def unavailable_observation(objective: Objective) -> Observation:
    """Say that a trial has ended and nothing was ever measured."""
    none = ObservedMetric(
        name=objective.metric, min=UNAVAILABLE, max=UNAVAILABLE, latest=UNAVAILABLE
    )
    return Observation(metrics=(none,))


def _summary(metrics: Iterable[MetricSummary], name: str) -> MetricSummary | None:
    return next((metric for metric in metrics if metric.name == name), None)


def _usable(metrics: Iterable[MetricSummary], objective: Objective) -> bool:
    return objective_value(observation_of(metrics, objective), objective) is not None


# -- causes ---------------------------------------------------------------------------------


def _cause(view: TrialView, objective: Objective, words: TerminationMessage) -> str:
    """Say in words why there is no value; the first that applies.

    What was measured and is no number comes first: then all worked, and the training is to blame.
    """
    stored = view.observed.metrics if isinstance(view.observed, StoredMetrics) else words.metrics
    metric, pods = quoted(objective.metric), view.job.pods
    seen = _summary(stored, objective.metric)
    if seen is not None and (seen.last != UNAVAILABLE or seen.count > 1):
        return _not_finite(metric, strategy_of(objective.metric, objective), seen)
    if isinstance(view.observed, StoreUnavailable):
        return f"the store of metrics did not answer: {view.observed.cause}"
    if view.observed is None:
        return "the store of metrics was not asked in time"
    if view.trial.spec.collector and view.trial.spec.collector.kind is CollectorKind.PUSH:
        return f"the training reported no value of {metric}; call report_metrics with this name"
    return _of_collector(pods, words) or _nothing_matched(metric, stored, words)


def _not_finite(metric: str, strategy: Strategy, seen: MetricSummary) -> str:
    if seen.last == UNAVAILABLE:
        return f"{metric} was printed, but never as a finite number"
    last = f"the last value of {metric} is {quoted(seen.last)}, which is no finite number"
    if strategy is Strategy.LATEST and seen.min:
        return f"{last}; with the strategy min or max the finite ones before it would count"
    return f"{metric} was never a finite number; {last}"


def _of_collector(pods: PodFacts, words: TerminationMessage) -> str:
    if pods.injected is False:
        label = f"{INJECTION_LABEL}: {INJECTION_ENABLED}"
        return (
            "no metrics collector was put into its pod; is the webhook running, and has the"
            f" namespace the label {label}?"
        )
    if pods.collector_failed:
        return collector_failure(pods)
    if words.delivered is False:
        return f"what was collected did not reach the store: {words.why or 'nobody knows why'}"
    return ""


def collector_failure(pods: PodFacts) -> str:
    """Say how the collector came to its end, and what it said of it."""
    why = parse_termination_message(pods.termination_message).why
    return f"the metrics collector failed ({pods.collector_failed})" + (f": {why}" if why else "")


def _nothing_matched(
    metric: str, stored: Iterable[MetricSummary], words: TerminationMessage
) -> str:
    others = ", ".join(quoted(m.name) for m in stored if m.last != UNAVAILABLE)
    found = f"no line of the training had {metric}" + (f", only {others}" if others else "")
    if not words.nearest:
        return f"{found}; `trialwatch extract` shows what is found in a log"
    lines = "; ".join(quoted(line) for line in words.nearest[:_LINES_SHOWN])
    return f"{found}; the lines that came nearest: {lines}"
