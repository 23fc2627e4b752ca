"""The port through which the pages read: what each source guarantees."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from api.errors import UserError
from api.types import Experiment, JsonObject, Trial
from ui.model.curves import Point
from ui.model.experiment_summary import Latest, RunState


class NotFound(UserError):
    """No experiment, trial or log has this name."""


class ExperimentKey(NamedTuple):
    """An experiment, by its names."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExperiment:
    """An experiment with its trials at one moment."""

    experiment: Experiment
    trials: tuple[Trial, ...]
    """In the order of suggestion."""
    run: RunState = field(default_factory=RunState)
    latest: Latest = field(default_factory=dict)
    """By running trial and metric: the newest stored value."""
    document: JsonObject = field(default_factory=dict)
    """The object as it is stored."""


class NewPoint(NamedTuple):
    """A point with the name of its metric."""

    metric: str
    micros: int
    """Microseconds since 1970 in UTC."""
    text: str
    step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointBatch:
    """Some points of a trial, in the order in which they were stored."""

    points: tuple[NewPoint, ...]
    token: str
    """Given to `points` later, it continues behind this batch: no point is missed or repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPoints:
    """All points of a trial, and the token that continues behind them."""

    by_metric: Mapping[str, Sequence[Point]]
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPiece:
    """A bounded piece of a trial's log."""

    content: bytes
    place: str
    """Given to `log`, it continues behind this piece."""
    is_tail: bool
    """Whether older output was left out before this piece."""
    more: bool
    """Whether more output is stored already."""


class Source(Protocol):
    """Experiments of one place. All methods may be called at the same time."""

    where: str
    """Where it reads, such as `in .trialwatch`."""
    makes: str
    """How to create an experiment there, for a message."""

    async def experiments(self) -> Sequence[StoredExperiment]:
        """Return all experiments with their trials, in any order."""

    async def experiment(self, key: ExperimentKey) -> StoredExperiment:
        """Return one experiment.

        Raises:
            NotFound: it does not exist.
        """

    def changes(self, key: ExperimentKey | None) -> AsyncGenerator[None]:
        """Yield when objects may have changed: of one experiment, or of all with None.

        It never ends. A change that happens while the caller works is yielded afterwards.
        """

    async def stored_points(self, key: ExperimentKey, trial: str) -> StoredPoints:
        """Return all points of a trial.

        Raises:
            NotFound: the trial does not exist.
            RemoteError: the store does not answer now.
        """

    def points(self, key: ExperimentKey, trial: str, after: str) -> AsyncGenerator[PointBatch]:
        """Yield the points behind a token ("": from the first), then new ones as they are stored.

        It never ends.

        Raises:
            UserError: the token is not of this trial.
            RemoteError: the store does not answer now; the last token continues.
        """

    async def log(self, key: ExperimentKey, trial: str, place: str, limit: int) -> LogPiece:
        """Return at most `limit` bytes of the trainer's log behind a place; "" is the last part.

        Raises:
            NotFound: the log does not exist; the message says why.
        """

    async def close(self) -> None:
        """Release all resources."""
