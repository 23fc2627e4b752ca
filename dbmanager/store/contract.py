"""The port: what every observation store promises. One contract suite holds them all to it.

**Rows.** A row is one value of one metric of one trial at one microsecond. Rows are never changed;
they go away only by `delete`. Reads give them ordered by time, and by id where times are equal, so
that rows of one report keep its order.

**Exactly once.** A report may carry a `Delivery`: a source (one attempt of a trial's pod) and the
report's number in it, from 1. Rows and number are stored in one transaction. A report whose number
is not above the last one of its source is a repeat: it is acknowledged and changes nothing, its
outcome included. A number that leaves some out is stored and counted as a gap. Two reports of one
source at the same moment are stored one after the other.

**Attempts.** The last report of a source says how the attempt ended. What a read gives:

| the trial has                            | given are the rows of                       |
|------------------------------------------|---------------------------------------------|
| a succeeded or a stopped source, or rows without a source | all those                  |
| else an open source                      | all open ones                               |
| else                                     | all failed ones                             |

A source counts as soon as it has reported, be it without a single row.

**Namespaces.** Two trials of one name in two namespaces share nothing. A row that came without a
namespace has "". `resolve` says which namespace a request means:

| asked for | the trial is stored under | meant                                        |
|-----------|---------------------------|----------------------------------------------|
| `ns`      | `ns` and perhaps others   | `ns`                                         |
| `ns`      | "" but not `ns`           | "" for reads and deletes, `ns` for reports   |
| `ns`      | neither                   | `ns`                                         |
| nothing   | nothing                   | ""                                           |
| nothing   | one namespace             | that one                                     |
| nothing   | several                   | refused: `Ambiguous`                         |

**Errors.** `Unavailable` where the database cannot be reached: nothing of the request is stored,
or all of it is and a repeat is harmless. What a caller got wrong is refused before the store sees
it: trial and metric names have 1 to 255 characters, no text holds a NUL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from api.errors import UserError

LONGEST_NAME = 255
"""Characters; what Katib's columns hold."""


class Row(NamedTuple):
    """One stored value. A `NamedTuple`, since reads make millions."""

    id: int
    """Grows with each row stored; never used twice."""
    micros: int
    """Microseconds since 1970 in UTC."""
    metric: str
    value: str


class NewRow(NamedTuple):
    """One value to be stored."""

    micros: int
    metric: str
    value: str


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TrialKey:
    """A trial in a namespace; "" is no namespace."""

    namespace: str
    trial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Which report this is, of which source, and whether it is the source's last one."""

    source: str
    sequence: int
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came of a report."""

    stored: int
    """Rows; 0 of a repeat."""
    repeat: bool = False
    gap: int = 0
    """How many numbers were left out before this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which rows of a trial are read; bounds are inclusive, None is no bound."""

    key: TrialKey
    metrics: tuple[str, ...] = ()
    """None of them named means all."""
    from_micros: int | None = None
    to_micros: int | None = None
    after: tuple[int, int] | None = None
    """Only rows behind this (micros, id); how a page goes on."""
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One metric of a trial. Texts are as they were stored; times are microseconds."""

    metric: str
    count: int
    first: str
    last: str
    minimum: str | None
    """The text of the smallest finite number; None where no value is one."""
    maximum: str | None
    first_micros: int
    last_micros: int


class Ambiguous(UserError):
    """A request without a namespace, for a trial name that several namespaces have."""

    def __init__(self, trial: str, namespaces: Iterable[str]) -> None:
        self.namespaces = tuple(sorted(namespaces))
        named = ", ".join(repr(namespace) for namespace in self.namespaces)
        super().__init__(
            f"trial name {trial!r} exists in the namespaces {named}: "
            "say which one in the metadata `trialwatch-namespace`"
        )


class Store(Protocol):
    """An observation store. All methods may be called at the same time, by many."""

    async def open(self) -> None:
        """Connect and bring the schema up to date; harmless when repeated.

        Raises:
            Unavailable: the database cannot be reached now.
            SetupError: it can, and waiting will not help (no permission, not a database).
        """

    async def close(self) -> None:
        """Finish what is under way and let go of everything; harmless when repeated."""

    async def ping(self) -> None:
        """Return where the database answers; raise `Unavailable` where it does not."""

    async def namespaces(self, trial: str) -> frozenset[str]:
        """Return under which namespaces a trial name is stored; empty where it is not."""

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        """Store rows, durably, before this returns."""

    def read(self, query: Query) -> AsyncIterator[list[Row]]:
        """Give the rows in order, some thousands at a time."""

    def new_rows(self, key: TrialKey, after_id: int) -> AsyncIterator[list[Row]]:
        """Give the rows stored behind an id in the order of ids, whatever their attempt; then end.

        No row is ever passed over: one that gets a lower id than another but is stored later is
        given to the next call (a row may then be given twice).
        """

    async def summary(self, key: TrialKey, metrics: Sequence[str] = ()) -> list[Summary]:
        """Return a summary of each metric that has rows, by name; computed by the database."""

    async def delete(self, key: TrialKey) -> int:
        """Delete a trial's rows and its sources; return how many rows there were."""


def resolve(
    trial: str, asked: str | None, stored: frozenset[str], *, to_report: bool = False
) -> TrialKey:
    """Return which trial a request means; the table above.

    Raises:
        Ambiguous: no namespace was asked for, and several have the name.
    """
    if asked is not None:
        unclaimed = "" in stored and asked not in stored and not to_report
        return TrialKey(namespace="" if unclaimed else asked, trial=trial)
    if len(stored) > 1:
        raise Ambiguous(trial, stored)
    return TrialKey(namespace=next(iter(stored), ""), trial=trial)
