"""Why trials have failed, for users: without Katib's sentence before it, each cause once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from api.faults import visible, without_numbers
from ui.model.experiment_summary import TrialRow, TrialState
from ui.model.formatting import counted

_BAD = (TrialState.FAILED, TrialState.KILLED, TrialState.WITHOUT_METRICS)
_SUCCESS = ". Job message: Reached expected number of succeeded pods"
"""What Kubernetes says of each job whose program has ended with status 0."""
_SENTENCES = re.compile(
    r"(Trial has failed|Metrics are not available|Trial is killed)(\. Job message)?: "
    r"|Job has reached the specified backoff limit: "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause, and the trials that have it."""

    text: str
    trials: tuple[TrialRow, ...]

    def shown(self, of: int) -> str:
        """Write the cause with its trials; `of` is the number of all trials."""
        first, *others = (visible(row.name) for row in self.trials)
        more = f" and {counted(len(others), 'other trial')}" if others else ""
        names = f"{first}{more}" if of > 1 else first
        return f"{names}: {self.text}"


def cause_of(row: TrialRow) -> str:
    """Return why a trial has failed, in one line; "" if unknown. It is never cut."""
    return visible(plain_cause(row.cause))


def failure_of(row: TrialRow) -> str:
    """Return why a trial has no result, in one line; "" if it has one or has not ended."""
    return cause_of(row) if row.state in _BAD else ""


def plain_cause(message: str) -> str:
    """Return the message of a condition without what Katib and Kubernetes put around the cause."""
    text = without_success(message)
    while found := _SENTENCES.match(text):
        text = text[found.end() :]
    return text


def without_success(message: str) -> str:
    """Return the message of a condition without the sentence that each successful job has."""
    return message.removesuffix(_SUCCESS)


def causes_in(rows: Iterable[TrialRow]) -> list[Cause]:
    """Return the causes, the most frequent first; causes that differ in numbers are one.

    Trials that were killed, because the experiment had ended, count only without other causes.
    """
    by_form: dict[str, list[TrialRow]] = {}
    bad = [row for row in rows if row.state in _BAD and row.cause]
    own = [row for row in bad if row.state is not TrialState.KILLED]
    for row in own or bad:
        by_form.setdefault(without_numbers(cause_of(row)), []).append(row)
    ordered = sorted(by_form.values(), key=len, reverse=True)
    return [Cause(text=cause_of(same[0]), trials=tuple(same)) for same in ordered]
