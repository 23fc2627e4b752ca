"""The port: what every observation store guarantees. One contract suite tests all stores.

**Rows.** A row is one value of one metric of one trial at one microsecond. Rows never change; only
`delete` removes them. A row may have a step, the training's own counter from 0. Reads return the
rows ordered by time; of equal times, by step, and rows without a step come first; of equal steps,
by id, so the rows of one report keep their order.

**Exactly once.** A report may have a `Delivery`: a source (one attempt of a trial's pod) and the
report's number within it, from 1. Rows and number are stored in one transaction. A report whose
number is not above the last number of its source is a repeat: it succeeds and changes nothing, not
even the outcome. A report whose number skips some numbers is stored, and the skipped numbers are
counted as a gap. Two reports of one source at the same time are stored one after the other.

**Attempts.** The last report of a source says how the attempt ended. A read returns:

| the trial has                                             | rows of             |
|-----------------------------------------------------------|---------------------|
| a succeeded or a stopped source, or rows without a source | all of these        |
| else an open source                                       | all open sources    |
| else                                                      | all failed sources  |

A source counts as soon as it has reported, even without a row.

Kubernetes may start the pod of a job twice, and both pods may succeed. A source whose name has
`api.names.ONE_POD_SOURCE_MARK` says that it does the same work as others with this mark. Of those
that have succeeded or were stopped, only the one that began first counts.

A job may have several pods whose metrics are reduced; the names of their sources say so
(`api.reductions`). Then the table above holds for each pod of the job by itself; a pod of which all
sources have failed has no visible source once another pod has succeeded or was stopped. With
`rank0`, only the pod of rank 0 has visible sources. With `mean`, `min` and `max`, reads return the
rows of all pods, and `summary` returns one value for each step: over the last rows of the pods at
this step, or, if a row of the metric has no step, over their n-th rows. Only the steps count that
more than half of the metric's pods have; if there is no such step, those that the most pods have.
`unavailable` counts only where a metric has nothing else.

**Namespaces.** Two trials of equal name in two namespaces share nothing. A row that came without a
namespace has the namespace "". `resolve` says which namespace a request means:

| request   | the trial is stored in    | meaning                                      |
|-----------|---------------------------|----------------------------------------------|
| `ns`      | `ns` and perhaps others   | `ns`                                         |
| `ns`      | "" but not `ns`           | "" for reads and deletes, `ns` for reports   |
| `ns`      | neither                   | `ns`                                         |
| nothing   | no namespace              | ""                                           |
| nothing   | one namespace             | this namespace                               |
| nothing   | several                   | refused: `AmbiguousTrial`                         |

**Errors.** `DiskFull` if the database has no room: reads go on, and so do deletes as far as the
database can do them. `Unavailable` if the database cannot be reached: the store has either nothing
of the request, or all of it, and then a repeat is harmless. Callers check requests before they call
the store: they keep the limits of `api.report_limits`, and no text has a NUL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from api.errors import Unavailable, UserError

_MOST_NAMED = 10
"""Namespaces that an error names."""


NO_STEP = -1
"""Takes the place of a missing step where rows are compared."""
Place = tuple[int, int, int]
"""The microseconds, step (or `NO_STEP`) and id of a row."""


class Row(NamedTuple):
    """One stored value. A `NamedTuple`, because reads make millions."""

    id: int
    """Grows with each stored row, and is never used twice."""
    micros: int
    """Microseconds since 1970 in UTC."""
    metric: str
    value: str
    step: int | None = None

    @property
    def place(self) -> Place:
        """Where the row is in the order of reads."""
        return self.micros, NO_STEP if self.step is None else self.step, self.id


class NewRow(NamedTuple):
    """One value to store."""

    micros: int
    """Microseconds since 1970 in UTC."""
    metric: str
    value: str
    step: int | None = None
    """From 0 to `api.report_limits.LARGEST_STEP`."""


class AttemptOutcome(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TrialKey:
    """A trial in a namespace; the namespace is "" for rows that came without one."""

    namespace: str
    trial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The source of a report, the report's number, and how the attempt ended."""

    source: str
    sequence: int
    """From 1."""
    outcome: AttemptOutcome | None = None
    """Only in the last report of a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The result of a report."""

    stored: int
    """Rows; 0 for a repeat."""
    repeat: bool = False
    gap: int = 0
    """How many numbers were skipped before this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which rows of a trial to read; bounds are inclusive, None is no bound."""

    key: TrialKey
    metrics: tuple[str, ...] = ()
    """Empty: all metrics."""
    from_micros: int | None = None
    to_micros: int | None = None
    after: Place | None = None
    """Only rows after this: the place of the last row of the page before."""
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One metric of a trial. Values are texts as stored; times are microseconds since 1970."""

    metric: str
    count: int
    first: str
    last: str
    minimum: str | None
    """The text of the smallest finite number; None if no value is a finite number."""
    maximum: str | None
    first_micros: int
    last_micros: int
    first_step: int | None = None
    """The step of the row that has the text `first`; the others likewise."""
    last_step: int | None = None
    minimum_step: int | None = None
    maximum_step: int | None = None


class DiskFull(Unavailable):
    """The database has no room for more rows."""


class AmbiguousTrial(UserError):
    """A request gives no namespace, and several namespaces have a trial of this name."""

    def __init__(self, trial: str, namespaces: Iterable[str]) -> None:
        self.namespaces = tuple(sorted(namespaces))
        named = ", ".join(repr(namespace) for namespace in self.namespaces[:_MOST_NAMED])
        if len(self.namespaces) > _MOST_NAMED:
            named += f" and {len(self.namespaces) - _MOST_NAMED} more"
        super().__init__(
            f"trial name {trial!r} exists in the namespaces {named}: "
            "send one of them in the metadata `trialwatch-namespace`"
        )


class Store(Protocol):
    """An observation store. Many callers may call all methods at the same time."""

    async def open(self) -> None:
        """Connect and bring the schema up to date; harmless when repeated.

        Raises:
            Unavailable: the database cannot be reached now.
            SetupError: the database refuses, and waiting does not help (no permission, not a
                database).
        """

    async def close(self) -> None:
        """Finish the reports under way and release all resources; harmless when repeated."""

    async def ping(self) -> None:
        """Return if the database answers; else raise `Unavailable`."""

    async def namespaces(self, trial: str) -> frozenset[str]:
        """Return the namespaces that have a trial of this name."""

    async def sources(self, key: TrialKey) -> Mapping[str, int]:
        """Return the sources that have reported for a trial, each with its last number."""

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        """Store rows; when this returns, they are on the disk."""

    def read(self, query: Query) -> AsyncIterator[list[Row]]:
        """Yield the rows in order, some thousands at a time."""

    def new_rows(self, key: TrialKey, after_id: int) -> AsyncIterator[list[Row]]:
        """Yield the rows of all attempts with ids above `after_id`, in the order of ids; then end.

        No row is ever omitted: a row with a lower id than another may be stored later, and the next
        call yields it. So two calls may yield the same row.
        """

    async def summary(self, key: TrialKey, metrics: Sequence[str] = ()) -> list[Summary]:
        """Return a summary of each metric that has rows, sorted by name."""

    async def delete(self, key: TrialKey) -> int:
        """Delete a trial's rows and sources; return how many rows were deleted."""


def resolve(
    trial: str, namespace: str | None, stored: frozenset[str], *, to_report: bool = False
) -> TrialKey:
    """Return which trial a request means, by the table above.

    Args:
        trial: its name.
        namespace: of the request; None if it gives none.
        stored: the namespaces that have a trial of this name.
        to_report: whether the request is a report.

    Raises:
        AmbiguousTrial: the request gives no namespace, and several have the name.
    """
    if namespace is not None:
        use_unnamed = "" in stored and namespace not in stored and not to_report
        return TrialKey(namespace="" if use_unnamed else namespace, trial=trial)
    if len(stored) > 1:
        raise AmbiguousTrial(trial, stored)
    return TrialKey(namespace=next(iter(stored), ""), trial=trial)
