"""What the core receives: stored objects, and what was last known about jobs, pods and metrics.

A view is a value. Its maker guarantees two things, and on them depends that no trial is created
twice and no budget is exceeded: the objects are at least as new as the maker's own last write, and
unknown facts are left out, not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.types import Experiment, JsonObject, Setting, SuggestedTrial, Suggestion, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The namespace and name of an object."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def key_of(item: Experiment | Suggestion | Trial) -> Key:
    """Return an object's key."""
    return Key(namespace=item.metadata.namespace, name=item.metadata.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The operator's settings. The defaults are those in docs/controller.md."""

    metrics_grace: timedelta = timedelta(seconds=60)
    """How long after a job's end the objective may still reach the store."""
    metrics_poll: timedelta = timedelta(seconds=1)
    """How soon the store is read again if it lacks the objective or does not answer."""
    pending_patience: timedelta = timedelta(seconds=30)
    """How long a pod may lack a node, an image or a container before the trial reports it."""
    container_grace: timedelta | None = timedelta(seconds=60)
    """How long other containers of a pod may run after the container that trains has ended, before
    the trial ends without them; None: no limit."""
    stop_grace: timedelta = timedelta(seconds=60)
    """How long the job of an early-stopped trial may take to end by itself."""
    deletion_grace: timedelta = timedelta(seconds=60)
    """How long a deleted trial waits for its job to be deleted and for an unavailable store."""
    start_deadline: timedelta | None = timedelta(hours=1)
    """How long a trial may lack a running pod before it fails, for a cause that other pods' end
    does not cure; None: no limit."""
    room_deadline: timedelta | None = None
    """How long a trial may lack a running pod for want of room, on a node or in a quota; None: no
    limit."""
    live_interval: timedelta | None = timedelta(seconds=10)
    """How often the status of a running trial is updated with latest values; None: never."""
    template_retry: timedelta = timedelta(seconds=10)
    """How soon a template that does not exist is read again."""
    stop_at_end: bool = True
    """Whether running trials are killed when their experiment ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSummary:
    """What the store knows about one metric of a trial. Values are strings, as they were stored."""

    name: str
    count: int
    """The number of points, with any value."""
    last: str
    """The value of the last point."""
    first: str = ""
    """The value of the first point."""
    min: str = ""
    """The smallest finite number; "" if there is none."""
    max: str = ""
    """The largest finite number; "" if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMetrics:
    """The store's answer; it has no summary of a metric without points."""

    metrics: tuple[MetricSummary, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUnavailable:
    """The store did not answer, or refused the query."""

    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryEnd:
    """The end of the container that trains, in a pod whose other containers still run."""

    exit_code: int
    at: datetime
    running: tuple[str, ...]
    """The names of the containers that still run, without the collector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFacts:
    """What is known about a trial's pods. All of it may be unknown."""

    refused: str = ""
    """Why the job gets no pod (the webhook or a quota denies it), while this lasts."""
    stuck: str = ""
    """Why nothing runs in its pod, if waiting does not help: `REASON: message`."""
    stuck_since: datetime | None = None
    """Since when."""
    injected: bool | None = None
    """Whether the pod has a collector; None if unknown."""
    collector_failed: str = ""
    """How the collector's container failed: reason and exit code."""
    crashing_since: datetime | None = None
    """Since when the collector's container, after several crashes, waits for its next start, while
    the training runs."""
    primary_end: PrimaryEnd | None = None
    """How the training ended, if only other containers keep the pod running."""
    termination_message: str = ""
    """The collector's termination message, unparsed: one JSON object."""
    elsewhere: str = ""
    """Where the objective is, if not in the metrics file, and what to do; "" if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What is known about a trial's job."""

    document: JsonObject | None = None
    """The job; if it was deleted, its last known version; None: never seen."""
    gone: bool = False
    """It was deleted."""
    pods: PodFacts = field(default_factory=PodFacts)

    @property
    def present(self) -> bool:
        """Whether the job exists."""
        return self.document is not None and not self.gone


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """A trial and all that is known about it."""

    trial: Trial
    job: JobFacts = field(default_factory=JobFacts)
    observed: StoredMetrics | StoreUnavailable | None = None
    """The result of `ReadObservation` or `DeleteObservations` in this same reconcile.

    Each reconcile begins with None, so the result is never older than the job in the same view."""
    latest_read_at: datetime | None = None
    """When the latest values were last read, or when this controller first saw the trial; None:
    they are not read."""
    latest: StoredMetrics | StoreUnavailable | None = None
    """The result of `ReadLatest` in this same reconcile. The trial may have ended since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentView:
    """An experiment and all objects that it owns."""

    experiment: Experiment
    suggestion: Suggestion | None = None
    trials: tuple[Trial, ...] = ()
    """In any order, including trials that are being deleted."""
    template_text: str | None = None
    """The text of the template that `trialTemplate.configMap` names; None: it does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionReply:
    """The reply of a search."""

    trials: tuple[SuggestedTrial, ...]
    """The suggested trials; a name may be ""."""
    final: bool = True
    """Whether fewer trials than requested mean that the search has no more, now and later."""
    settings: tuple[Setting, ...] = ()
    """Settings to send with every later request, such as the search's seed."""
