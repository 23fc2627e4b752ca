"""Which sources of a trial a read returns: the table "Attempts" of the contract."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from api.names import ONE_POD_SOURCE_MARK, POD_SOURCE_PREFIX
from api.reductions import Reduction, reduction_of_source
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
    groups: dict[str, dict[str, AttemptOutcome | None]] = defaultdict(dict)
    for source, outcome in outcomes.items():
        known = reduction_of_source(source)
        if known is None or known.reduction is not Reduction.RANK0 or known.is_rank_0:
            groups[known.pod if known else ""][source] = outcome
    # Rows without a source belong to no pod.
    groups.setdefault("", {})
    if any(outcome in _DECIDED for group in groups.values() for outcome in group.values()):
        groups = {pod: group for pod, group in groups.items() if not pod or not _has_failed(group)}
    visible = (
        _visible_of_one_pod(group, unsourced=unsourced and not pod) for pod, group in groups.items()
    )
    return frozenset().union(*visible)


def _has_failed(outcomes: Mapping[str, AttemptOutcome | None]) -> bool:
    return all(outcome is AttemptOutcome.FAILED for outcome in outcomes.values())


def _visible_of_one_pod(
    outcomes: Mapping[str, AttemptOutcome | None], *, unsourced: bool
) -> frozenset[str]:
    """Return the visible sources of one pod of a job, or of all pods if they are not told apart."""
    decided = {source for source, outcome in outcomes.items() if outcome in _DECIDED}
    decided -= {*sorted(filter(_of_one_pod, decided), key=_of_one_pod)[1:]}
    if unsourced:
        decided.add(UNSOURCED)
    if decided:
        return frozenset(decided)
    still_open = frozenset(source for source, outcome in outcomes.items() if outcome is None)
    return still_open or frozenset(outcomes)


def _of_one_pod(source: str) -> str:
    """Return the part of a source's name that begins with the mark and the time; "" without it."""
    if source.startswith(POD_SOURCE_PREFIX):
        source = source.removeprefix(POD_SOURCE_PREFIX).partition(":")[2]
    return source if source.startswith(ONE_POD_SOURCE_MARK) else ""
