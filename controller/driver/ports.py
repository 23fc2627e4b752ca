"""What a driver stands on. `controller.driver.memory` has each of them over dictionaries.

Two errors are part of every promise: `Unavailable`, where asking again is right, and `Conflict`,
where the object has changed and is to be looked at anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

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


class Conflict(RemoteError):
    """Somebody else has changed the object since it was read."""


class Objects(Protocol):
    """Where Experiments, Suggestions and Trials are kept.

    What is read is at least as new as what was last written through this same port.
    """

    async def experiment(self, key: Key) -> Experiment | None:
        """Return the experiment, with defaults; None where there is none."""

    async def suggestion(self, key: Key) -> Suggestion | None:
        """Return the suggestion of the experiment of this name."""

    async def trial(self, key: Key) -> Trial | None:
        """Return a trial."""

    async def trials(self, experiment: Key) -> Sequence[Trial]:
        """Return all trials of an experiment, those being deleted too, in any order."""

    async def template(self, source: ConfigMapSource) -> str | None:
        """Return the text of a template; None where there is none."""

    async def create(self, item: Suggestion | Trial) -> None:
        """Store a new object; leave one of the same name as it is."""

    async def write_spec(self, item: Suggestion) -> Suggestion:
        """Store `spec`, and return the object as it is now.

        Raises:
            Conflict: the object is no longer what it was when it was read, or is gone.
        """

    async def write_status(self, item: Experiment | Suggestion | Trial) -> None:
        """Store `status` and nothing else.

        Raises:
            Conflict: the object is no longer what it was when it was read, or is gone.
        """

    async def delete(self, trial: Trial) -> None:
        """Mark a trial as being deleted; it is gone at once where it has no finalizer."""

    async def release(self, item: Experiment | Trial) -> None:
        """Remove our finalizer; what is being deleted and has no other one is gone."""


class Jobs(Protocol):
    """Where the jobs of trials run. A job has its trial's name and namespace.

    What `look` says is at least as new as the last `create` through this same port. While a job
    is going, its document has `metadata.deletionTimestamp`, or `delete` is asked for again.
    """

    async def look(self, trial: Trial) -> JobFacts:
        """Say what is known of the trial's job and pods."""

    async def create(self, trial: Trial, document: JsonObject) -> None:
        """Start the job. What the user got wrong in it is no error here: such a job fails.

        Raises:
            RemoteError: it cannot be created, and will not be: the trial fails with this message.
            Unavailable: not now.
        """

    async def delete(self, trial: Trial) -> None:
        """End the job with all of its pods; it may take until a later `look`."""


class Observations(Protocol):
    """The store of metrics."""

    async def summary(self, trial: Trial) -> Sequence[MetricSummary]:
        """Return a summary of each of the objective's metrics that has points.

        Raises:
            RemoteError: the store did not answer, or refused.
        """

    async def latest(self, trial: Trial) -> Sequence[MetricSummary]:
        """Return the same of a trial that runs, soon or not at all; nothing where it is costly.

        Raises:
            RemoteError: the store did not answer soon, or refused.
        """

    async def report_unavailable(self, trial: Trial) -> None:
        """Store `unavailable` for the objective, at `UNAVAILABLE_TIME`.

        Raises:
            RemoteError: the store did not answer, or refused.
        """

    async def delete(self, trial: Trial) -> None:
        """Delete all that is stored of the trial.

        Raises:
            RemoteError: the store did not answer, or refused.
        """


class Suggestions(Protocol):
    """The search, and early stopping with it: the answer's trials carry their stop rules."""

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> SuggestionReply:
        """Choose the next `count` trials.

        `trials` is the history in the order of asking, running and failed ones too; `asked` is
        how many were asked for in all, which may be more. Equal questions get equal answers, or
        may at least: an answer that is lost is asked for again.

        Raises:
            UserError: the experiment cannot be searched so; it fails with this message.
            RemoteError: the search refused; later it may not.
        """


class SearchServices(Protocol):
    """The services of search and early stopping that run for one experiment alone."""

    async def deploys(self, suggestion: Suggestion) -> bool:
        """Say whether this experiment has such a service, by the settings of this moment."""

    async def deploy(self, suggestion: Suggestion) -> bool:
        """Deploy what is missing of it; say whether it serves. Never waits until it does.

        Raises:
            RemoteError: it cannot be deployed, or does not come up.
        """

    async def remove(self, suggestion: Suggestion) -> None:
        """Take it away, where there is any; what a restarted experiment needs again stays.

        Raises:
            RemoteError: it cannot be taken away now.
        """


class NoSearchServices:
    """Where none is ever deployed."""

    async def deploys(self, suggestion: Suggestion) -> bool:
        """Say no."""
        del suggestion
        return False

    async def deploy(self, suggestion: Suggestion) -> bool:
        """Need nothing."""
        del suggestion
        return True

    async def remove(self, suggestion: Suggestion) -> None:
        """Have nothing."""


class Events(Protocol):
    """Takes what those who watch should know. Never raises, never waits."""

    def emit(self, event: EmitEvent) -> None:
        """Take one event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All of them."""

    objects: Objects
    jobs: Jobs
    observations: Observations
    suggestions: Suggestions
    events: Events
    services: SearchServices = field(default_factory=NoSearchServices)
