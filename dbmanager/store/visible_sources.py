"""Which of a trial's sources a read gives: the table "Attempts" of the port."""

from __future__ import annotations

from collections.abc import Mapping

from dbmanager.store.contract import Outcome

UNSOURCED = ""
"""The source of rows that came without one."""
_DECIDED = frozenset({Outcome.SUCCEEDED, Outcome.STOPPED})


def chosen(outcomes: Mapping[str, Outcome | None], *, unsourced: bool) -> frozenset[str]:
    """Return the sources whose rows are given.

    Args:
        outcomes: how each source ended; None where it is open.
        unsourced: whether the trial has rows without a source.
    """
    decided = {source for source, outcome in outcomes.items() if outcome in _DECIDED}
    if unsourced:
        decided.add(UNSOURCED)
    if decided:
        return frozenset(decided)
    still_open = frozenset(source for source, outcome in outcomes.items() if outcome is None)
    return still_open or frozenset(outcomes)
