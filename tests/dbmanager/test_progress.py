"""Which reports of one transaction are new, and what is noted of their sources."""

from __future__ import annotations

from dbmanager.store.columns import Columns
from dbmanager.store.contract import Delivery, NewRow, Outcome, Receipt, TrialKey
from dbmanager.store.sequence_numbers import Progress, Report

KEY = TrialKey(namespace="team", trial="trial")


def report(sequence: int | None, rows: int = 1, outcome: Outcome | None = None) -> Report:
    delivery = None
    if sequence is not None:
        delivery = Delivery(source="pod", sequence=sequence, outcome=outcome)
    columns = Columns.of([NewRow(n, "loss", "1") for n in range(rows)])
    return Report(key=KEY, rows=columns, delivery=delivery)


def noted(progress: Progress) -> list[tuple[object, ...]]:
    fields = ("source", "last_sequence", "gaps", "outcome")
    return [tuple(change[field] for field in fields) for change in progress.changes()]


def test_one_report_that_came_several_times_is_stored_once() -> None:
    progress = Progress({})
    receipts = [progress.take(report(1)) for _ in range(3)]
    assert receipts == [Receipt(stored=1), *[Receipt(stored=0, repeat=True)] * 2]
    assert noted(progress) == [("pod", 1, 0, None)]


def test_what_was_stored_before_is_a_repeat_and_changes_nothing() -> None:
    progress = Progress({(KEY, "pod"): 5})
    assert progress.take(report(5, outcome=Outcome.FAILED)).repeat
    assert noted(progress) == []


def test_several_reports_of_a_source_are_noted_as_one_change_with_all_their_gaps() -> None:
    progress = Progress({(KEY, "pod"): 5})
    assert [progress.take(report(number)).gap for number in (7, 8, 11)] == [1, 0, 2]
    assert progress.take(report(12, outcome=Outcome.STOPPED)) == Receipt(stored=1)
    assert noted(progress) == [("pod", 12, 3, "stopped")]


def test_that_rows_came_without_a_source_is_noted_once_on_the_trials_own_row() -> None:
    progress = Progress({})
    assert [progress.take(report(None)) for _ in range(2)] == [Receipt(stored=1)] * 2
    assert noted(progress) == [("", 1, 0, None)]

    known = Progress({(KEY, ""): 1})
    assert known.take(report(None)) == Receipt(stored=1)
    assert noted(known) == []
