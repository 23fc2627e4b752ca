"""From what the store knows of a trial to its observation, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from api.faults import quoted
from api.metric_values import objective_value, strategy_of
from api.names import UNAVAILABLE
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
    """What is known of a trial's metrics."""

    observation: Observation | None = None
    """None if nothing was measured."""
    usable: bool = False
    """The objective has a finite value by its strategy."""
    final: bool = False
    """Waiting longer cannot change the result."""
    cause: str = ""
    """Why the result is not usable."""


def find_observation(view: TrialView) -> ObservationResult:
    """Combine what the store and the collector's termination message say.

    | store | termination message | taken from | final |
    |---|---|---|---|
    | has the objective | delivered, or none | the store | yes |
    | any answer | not delivered, has the objective | the message | yes |
    | lacks the objective | other | nothing | if it has `unavailable`, or if the training pushes |
    | unavailable | has the objective | the message | if its metrics were not delivered |
    | unavailable | lacks it | nothing | no |
    """
    objective = view.trial.spec.objective or Objective()
    message = parse_termination_message(view.job.pods.termination_message)
    stored = view.observed.metrics if isinstance(view.observed, StoredMetrics) else ()
    undelivered = message.delivered is False
    if _usable(message.metrics, objective) and (
        undelivered or not isinstance(view.observed, StoredMetrics)
    ):
        return ObservationResult(
            observation=observation_of(message.metrics, objective), usable=True, final=undelivered
        )
    if _usable(stored, objective):
        return ObservationResult(
            observation=observation_of(stored, objective), usable=True, final=True
        )
    known = _summary(stored, objective.metric)
    reported_unavailable = known is not None and UNAVAILABLE in (known.first, known.last)
    pushes = view.trial.spec.collector is not None and (
        view.trial.spec.collector.kind is CollectorKind.PUSH
    )
    return ObservationResult(
        observation=observation_of(stored or message.metrics, objective),
        final=reported_unavailable or (pushes and isinstance(view.observed, StoredMetrics)),
        cause=_cause(view, objective, message),
    )


def observation_of(metrics: Iterable[MetricSummary], objective: Objective) -> Observation | None:
    """Convert summaries to an observation, in the order of the objective's metrics.

    Values stay as they were written. Only finite numbers are a `min` or a `max`.
    """
    by_name = {metric.name: metric for metric in metrics}
    known = [by_name[name] for name in objective.metrics if name in by_name]
    if not known:
        return None
    return Observation(
        metrics=tuple(
            ObservedMetric(
                name=metric.name,
                min=metric.min or UNAVAILABLE,
                max=metric.max or UNAVAILABLE,
                latest=metric.last,
            )
            for metric in known
        )
    )


def unavailable_observation(objective: Objective) -> Observation:
    """Return the observation of a trial that ended without any measured value."""
    none = ObservedMetric(
        name=objective.metric, min=UNAVAILABLE, max=UNAVAILABLE, latest=UNAVAILABLE
    )
    return Observation(metrics=(none,))


def _summary(metrics: Iterable[MetricSummary], name: str) -> MetricSummary | None:
    return next((metric for metric in metrics if metric.name == name), None)


def _usable(metrics: Iterable[MetricSummary], objective: Objective) -> bool:
    return objective_value(observation_of(metrics, objective), objective) is not None


# -- causes ---------------------------------------------------------------------------------


def _cause(view: TrialView, objective: Objective, message: TerminationMessage) -> str:
    """Explain why there is no value; the first explanation that applies.

    A value that is not a number comes first: then everything worked, and the training is the cause.
    """
    stored = view.observed.metrics if isinstance(view.observed, StoredMetrics) else message.metrics
    metric, pods = quoted(objective.metric), view.job.pods
    seen = _summary(stored, objective.metric)
    if seen is not None and (seen.last != UNAVAILABLE or seen.count > 1):
        return _not_finite(metric, strategy_of(objective.metric, objective), seen)
    if isinstance(view.observed, StoreUnavailable):
        return f"the metrics store did not answer: {view.observed.cause}"
    if view.observed is None:
        return "the metrics store was not queried in time"
    if view.trial.spec.collector and view.trial.spec.collector.kind is CollectorKind.PUSH:
        return f"the training reported no value of {metric}; call report_metrics with this name"
    cause = _collector_cause(pods, message) or _nothing_matched(metric, stored, message)
    return f"{cause}; {pods.elsewhere}" if pods.elsewhere else cause


def _not_finite(metric: str, strategy: Strategy, seen: MetricSummary) -> str:
    if seen.last == UNAVAILABLE:
        return f"{metric} was printed, but never as a finite number"
    last = f"the last value of {metric} is {quoted(seen.last)}, which is not a finite number"
    if strategy is Strategy.LATEST and seen.min:
        return f"{last}; with the strategy min or max the finite values before it would count"
    return f"{metric} was never a finite number; {last}"


def _collector_cause(pods: PodFacts, message: TerminationMessage) -> str:
    if pods.injected is False:
        return (
            "its pod has no metrics collector; `trialwatch explain POD` says why: perhaps the"
            " webhook was away when the pod was created"
        )
    if pods.collector_failed:
        return collector_failure(pods)
    if message.delivered is False:
        return (
            f"collected metrics did not reach the store: {message.cause or 'for an unknown reason'}"
        )
    return ""


def collector_failure(pods: PodFacts) -> str:
    """Say how the collector ended, and what its termination message says."""
    cause = parse_termination_message(pods.termination_message).cause
    return f"the metrics collector failed ({pods.collector_failed})" + (
        f": {cause}" if cause else ""
    )


def _nothing_matched(
    metric: str, stored: Iterable[MetricSummary], message: TerminationMessage
) -> str:
    if message.missing_file:
        return f"the training has not created the file {quoted(message.missing_file)} for {metric}"
    others = ", ".join(quoted(m.name) for m in stored if m.last != UNAVAILABLE)
    nothing_found = f"no line of the training contained {metric}" + (
        f", only {others}" if others else ""
    )
    if not message.nearest:
        return f"{nothing_found}; `trialwatch extract` shows the metrics of a log"
    lines = "; ".join(quoted(line) for line in message.nearest[:_LINES_SHOWN])
    return f"{nothing_found}; the nearest lines: {lines}"
