"""Why trials have failed, for users: without Katib's sentence before it, each cause once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from api.faults import visible
from trialwatch.view.experiment_summary import TrialRow, TrialState
from trialwatch.view.formatting import counted

_BAD = (TrialState.FAILED, TrialState.KILLED, TrialState.WITHOUT_METRICS)
_SENTENCES = re.compile(
    r"(Trial has failed|Metrics are not available|Trial is killed)(\. Job message)?: "
    r"|Job has reached the specified backoff limit: "
)
_NUMBER = re.compile(r"\d+[.:]\d[\d.:e+-]*|\d{4,}")
"""Values of parameters, times, process ids. Short numbers stay: an exit status is a cause."""


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
    text = row.cause
    while found := _SENTENCES.match(text):
        text = text[found.end() :]
    return visible(text)


def causes_in(rows: Iterable[TrialRow]) -> list[Cause]:
    """Return the causes, the most frequent first; causes that differ in numbers are one.

    A trial that was killed because the experiment had ended comes last: it is no cause.
    """
    by_form: dict[tuple[bool, str], list[TrialRow]] = {}
    for row in rows:
        if row.state in _BAD and row.cause:
            form = (row.state is TrialState.KILLED, _NUMBER.sub("0", cause_of(row)))
            by_form.setdefault(form, []).append(row)
    ordered = sorted(by_form.items(), key=lambda item: (item[0][0], -len(item[1])))
    return [Cause(text=cause_of(rows[0]), trials=tuple(rows)) for _, rows in ordered]
