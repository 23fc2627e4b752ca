"""Which sources of a trial a read returns: the table "Attempts" of the contract."""

from __future__ import annotations

from collections.abc import Mapping

from dbmanager.store.contract import AttemptOutcome

UNSOURCED = ""
"""The source of rows that came without a source."""
_DECIDED = frozenset({AttemptOutcome.SUCCEEDED, AttemptOutcome.STOPPED})


def visible_sources(
    outcomes: Mapping[str, AttemptOutcome | None], *, unsourced: bool
) -> frozenset[str]:
    """Return the sources whose rows a read returns.

    Args:
        outcomes: how each source ended; None if it is open.
        unsourced: whether the trial has rows without a source.
    """
    decided = {source for source, outcome in outcomes.items() if outcome in _DECIDED}
    if unsourced:
        decided.add(UNSOURCED)
    if decided:
        return frozenset(decided)
    still_open = frozenset(source for source, outcome in outcomes.items() if outcome is None)
    return still_open or frozenset(outcomes)
