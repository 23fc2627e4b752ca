"""What the core is told: objects as they are stored, and the world as it was last seen.

A view is a value. Whoever makes it promises two things, for on them rests that no trial is made
twice and no budget overrun: the objects are at least as new as his own last write of them, and
what he does not know he leaves out and does not guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.types import Experiment, JsonObject, Setting, SuggestedTrial, Suggestion, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An object's place."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def key_of(item: Experiment | Suggestion | Trial) -> Key:
    """Return an object's place."""
    return Key(namespace=item.metadata.namespace, name=item.metadata.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an operator chooses. The defaults are what docs/controller.md promises."""

    metrics_grace: timedelta = timedelta(seconds=60)
    """How long after a job's end the store may still get the objective."""
    metrics_poll: timedelta = timedelta(seconds=1)
    """How soon a store is asked again that has not got it, or does not answer."""
    pending_patience: timedelta = timedelta(seconds=30)
    """How long a pod may be without a place, an image or a container before that is told of."""
    stop_grace: timedelta = timedelta(seconds=60)
    """How long an early-stopped trial's job may take to end by itself."""
    deletion_grace: timedelta = timedelta(seconds=60)
    """How long a deleted trial waits for its job to go, and for a store that is away."""
    start_deadline: timedelta | None = None
    """How long a trial may be without a pod that runs before it fails; None: for ever."""
    live_interval: timedelta | None = timedelta(seconds=10)
    """How often a running trial's latest values are shown in its status; None: never."""
    template_retry: timedelta = timedelta(seconds=10)
    """How soon a template that could not be had is looked for again."""
    stop_at_end: bool = True
    """Whether an experiment's end ends the trials that still run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSummary:
    """What the store says of one metric of a trial. Texts are as they were stored."""

    name: str
    count: int
    """All points, whatever their values are."""
    last: str
    """The value of the latest point."""
    first: str = ""
    """The value of the earliest one."""
    min: str = ""
    """The text of the smallest finite number; "" where no value is one."""
    max: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMetrics:
    """The store has answered; a metric without points is left out."""

    metrics: tuple[MetricSummary, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUnavailable:
    """The store was asked and did not answer, or refused."""

    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFacts:
    """What is known of a trial's pods. All of it may be unknown."""

    refused: str = ""
    """Why the job gets no pod (denied by the webhook, by a quota), while that lasts."""
    stuck: str = ""
    """Why nothing runs in its pod, where that does not pass by itself: `REASON: what is said`."""
    stuck_since: datetime | None = None
    injected: bool | None = None
    """Whether a collector stood beside the trainer; None where nobody knows."""
    collector_failed: str = ""
    """How the collector's container came to its end, where that was not well."""
    crashing_since: datetime | None = None
    """Since when the collector's container, which crashed again and again, waits for its next start
    beside a trainer that runs."""
    termination_message: str = ""
    """The collector's termination message, as it was written: one JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What is known of a trial's job."""

    document: JsonObject | None = None
    """The job as it looks, or, where it is gone, as it was seen last; None: never seen."""
    gone: bool = False
    """It was deleted."""
    pods: PodFacts = field(default_factory=PodFacts)

    @property
    def present(self) -> bool:
        """Whether the job is there."""
        return self.document is not None and not self.gone


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """A trial and all that is known about it."""

    trial: Trial
    job: JobFacts = field(default_factory=JobFacts)
    observed: StoredMetrics | StoreUnavailable | None = None
    """What came of `ReadObservation` or `DeleteObservations` in this same turn of the driver.

    Every turn begins with None, so an answer is never older than the job that is judged by it."""
    asked: datetime | None = None
    """When the store was last asked for the latest values, or when this controller first saw the
    trial; None: they are not to be had."""
    latest: StoredMetrics | StoreUnavailable | None = None
    """What came of `ReadLatest` in this same turn. The trial may have ended since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentView:
    """An experiment and all that it owns."""

    experiment: Experiment
    suggestion: Suggestion | None = None
    trials: tuple[Trial, ...] = ()
    """In any order; those that are being deleted are among them."""
    template_text: str | None = None
    """The template's text where `trialTemplate.configMap` names one; None: it was not found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionReply:
    """What a search has answered."""

    trials: tuple[SuggestedTrial, ...]
    """A name may be ""."""
    final: bool = True
    """Whether fewer than were asked for means that the search has no more, now and later."""
    settings: tuple[Setting, ...] = ()
    """What the search wants to be reminded of in every later question, its seed above all."""
