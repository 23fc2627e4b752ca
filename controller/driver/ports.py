"""The ports that the driver uses. `controller.driver.memory` implements each with dictionaries.

Two errors belong to every port: `Unavailable`, if a retry may help, and `Conflict`, if the object
has changed and must be read again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from api.errors import RemoteError
from api.types import (
    ConfigMapSource,
    Experiment,
    JsonObject,
    Suggestion,
    Trial,
)
from controller.reconcile.actions import EmitEvent
from controller.reconcile.views import JobFacts, Key, MetricSummary, SuggestionReply
from stopping.curves import Point


class Conflict(RemoteError):
    """Another writer has changed the object since it was read."""


class Objects(Protocol):
    """The store of Experiments, Suggestions and Trials.

    A read returns an object at least as new as the last write through this port.
    """

    async def experiment(self, key: Key) -> Experiment | None:
        """Return the experiment, with defaults; None if it does not exist."""

    async def suggestion(self, key: Key) -> Suggestion | None:
        """Return the suggestion of the experiment with this key; None if it does not exist."""

    async def trial(self, key: Key) -> Trial | None:
        """Return a trial; None if it does not exist."""

    async def trials(self, experiment: Key) -> Sequence[Trial]:
        """Return all trials of an experiment, in any order, including those being deleted."""

    async def template(self, source: ConfigMapSource) -> str | None:
        """Return the text of a template; None if it does not exist."""

    async def create(self, item: Suggestion | Trial) -> None:
        """Store a new object. If one of this name exists, do not change it."""

    async def write_spec(self, item: Suggestion) -> Suggestion:
        """Store `spec` and return the stored object.

        Raises:
            Conflict: the object has changed since it was read, or was deleted.
        """

    async def write_status(self, item: Experiment | Suggestion | Trial) -> None:
        """Store `status` and nothing else.

        Raises:
            Conflict: the object has changed since it was read, or was deleted.
        """

    async def delete(self, trial: Trial) -> None:
        """Mark a trial as being deleted; without a finalizer it is deleted at once."""

    async def release(self, item: Experiment | Trial) -> None:
        """Remove our finalizer; a deleted object without other finalizers disappears."""


class Jobs(Protocol):
    """The jobs of trials. A job has the namespace and the name of its trial.

    The result of `look` is at least as new as the last `create` through this port. While a job is
    being deleted, its document has `metadata.deletionTimestamp`; otherwise `delete` is called
    again.
    """

    async def look(self, trial: Trial) -> JobFacts:
        """Return what is known about the trial's job and pods."""

    async def create(self, trial: Trial, document: JsonObject) -> None:
        """Create the job. A mistake of the user in it is not an error here: such a job fails.

        Raises:
            RemoteError: it can never be created: the trial fails with this message.
            Unavailable: it cannot be created now.
        """

    async def delete(self, trial: Trial) -> None:
        """Delete the job and all of its pods; it may take until a later `look`."""


class Observations(Protocol):
    """The metrics store."""

    async def summary(self, trial: Trial) -> Sequence[MetricSummary]:
        """Return a summary of each of the objective's metrics that has points.

        Raises:
            RemoteError: the store did not answer, or refused.
        """

    async def latest(self, trial: Trial) -> Sequence[MetricSummary]:
        """Return the same for a running trial, quickly or not at all; nothing if it is expensive.

        Raises:
            RemoteError: the store did not answer quickly, or refused.
        """

    async def report_unavailable(self, trial: Trial) -> None:
        """Store `unavailable` for the objective, at `UNAVAILABLE_TIME`.

        Raises:
            RemoteError: the store did not answer, or refused.
        """

    async def delete(self, trial: Trial) -> None:
        """Delete all stored metrics of the trial.

        Raises:
            RemoteError: the store did not answer, or refused.
        """


class StoredPoint(NamedTuple):
    """One value of one metric of a trial."""

    metric: str
    point: Point


class TrialPoints(Protocol):
    """The values of running trials, as the metrics store has them."""

    def watch(self, trial: Trial, metrics: Sequence[str]) -> AsyncGenerator[Sequence[StoredPoint]]:
        """Yield the stored points of all starts of a trial, then new ones, until it is closed.

        Raises:
            RemoteError: the store did not answer, or refused.
        """

    async def read(self, trial: Trial, metrics: Sequence[str]) -> Sequence[StoredPoint]:
        """Return the points that count, in order: those of a failed start do not.

        Raises:
            RemoteError: the store did not answer, or refused.
        """


class Judge(Protocol):
    """Decides, while trials run, which of them must stop. Both calls only take note."""

    def saw(self, experiment: Experiment, trials: Sequence[Trial]) -> None:
        """Take note of an experiment and of all its trials."""

    def forget(self, experiment: Key) -> None:
        """Take note that an experiment does not exist any more."""


class NoJudge:
    """For installations without live rules."""

    def saw(self, experiment: Experiment, trials: Sequence[Trial]) -> None:
        """Do nothing."""

    def forget(self, experiment: Key) -> None:
        """Do nothing."""


class Suggestions(Protocol):
    """The search, together with early stopping: suggested trials carry their stop rules."""

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> SuggestionReply:
        """Choose the next `count` trials.

        `trials` is the history in the order of the requests, including running and failed trials.
        `asked` is how many were requested in all; it may be larger. Equal requests may get equal
        replies: a reply that was lost is requested again.

        Raises:
            UserError: the experiment cannot be searched; it fails with this message.
            RemoteError: the search refused for now.
        """


class SearchServices(Protocol):
    """The services of search and early stopping that run for one experiment alone."""

    async def deploys(self, suggestion: Suggestion) -> bool:
        """Return whether this experiment has such a service, by the current settings."""

    async def deploy(self, suggestion: Suggestion) -> bool:
        """Deploy its missing parts; return whether it serves. Does not wait until it does.

        Raises:
            RemoteError: it cannot be deployed, or does not start.
        """

    async def remove(self, suggestion: Suggestion) -> None:
        """Remove it, if it exists; objects that a restarted experiment needs again stay.

        Raises:
            RemoteError: it cannot be removed now.
        """


class NoSearchServices:
    """For installations that never deploy a service."""

    async def deploys(self, suggestion: Suggestion) -> bool:
        """Return False."""
        del suggestion
        return False

    async def deploy(self, suggestion: Suggestion) -> bool:
        """Do nothing."""
        del suggestion
        return True

    async def remove(self, suggestion: Suggestion) -> None:
        """Do nothing."""


class Events(Protocol):
    """Posts Kubernetes Events. Never raises, never waits."""

    def emit(self, event: EmitEvent) -> None:
        """Post one event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTrial:
    """A deleted trial whose metrics are still in the store."""

    namespace: str
    name: str
    uid: str


class LeftoverRecord(Protocol):
    """Keeps over restarts which deleted trials still have metrics in the store."""

    async def read(self) -> Sequence[RecordedTrial]:
        """Return the recorded trials.

        Raises:
            RemoteError: the record cannot be read.
        """

    async def write(self, trials: Sequence[RecordedTrial]) -> None:
        """Replace the recorded trials; a record that cannot be written holds nothing up."""


class NoLeftoverRecord:
    """Records nothing: a restart forgets the metrics that must be deleted later."""

    async def read(self) -> Sequence[RecordedTrial]:
        """Return no trials."""
        return ()

    async def write(self, trials: Sequence[RecordedTrial]) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All ports."""

    objects: Objects
    jobs: Jobs
    observations: Observations
    suggestions: Suggestions
    events: Events
    services: SearchServices = field(default_factory=NoSearchServices)
    judge: Judge = field(default_factory=NoJudge)
    leftovers: LeftoverRecord = field(default_factory=NoLeftoverRecord)
