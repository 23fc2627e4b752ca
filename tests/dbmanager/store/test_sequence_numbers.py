"""Which reports of one transaction are new, and which rows of sources change."""

from __future__ import annotations

from dbmanager.store.columns import Columns
from dbmanager.store.contract import AttemptOutcome, Delivery, NewRow, Receipt, TrialKey
from dbmanager.store.sequence_numbers import Report, SequenceNumbers

KEY = TrialKey(namespace="team", trial="trial")


def report(sequence: int | None, rows: int = 1, outcome: AttemptOutcome | None = None) -> Report:
    delivery = None
    if sequence is not None:
        delivery = Delivery(source="pod", sequence=sequence, outcome=outcome)
    columns = Columns.of([NewRow(n, "loss", "1") for n in range(rows)])
    return Report(key=KEY, rows=columns, delivery=delivery)


def noted(numbers: SequenceNumbers) -> list[tuple[object, ...]]:
    fields = ("source", "last_sequence", "gaps", "outcome")
    return [tuple(change[field] for field in fields) for change in numbers.changes()]


def test_a_report_that_arrives_several_times_is_stored_once() -> None:
    numbers = SequenceNumbers({})
    receipts = [numbers.accept(report(1)) for _ in range(3)]
    assert receipts == [Receipt(stored=1), *[Receipt(stored=0, repeat=True)] * 2]
    assert noted(numbers) == [("pod", 1, 0, None)]


def test_a_stored_number_is_a_repeat_and_changes_nothing() -> None:
    numbers = SequenceNumbers({(KEY, "pod"): 5})
    assert numbers.accept(report(5, outcome=AttemptOutcome.FAILED)).repeat
    assert noted(numbers) == []


def test_several_reports_of_a_source_are_one_change_with_the_sum_of_their_gaps() -> None:
    numbers = SequenceNumbers({(KEY, "pod"): 5})
    assert [numbers.accept(report(number)).gap for number in (7, 8, 11)] == [1, 0, 2]
    assert numbers.accept(report(12, outcome=AttemptOutcome.STOPPED)) == Receipt(stored=1)
    assert noted(numbers) == [("pod", 12, 3, "stopped")]


def test_rows_without_a_source_are_recorded_once_on_the_trials_own_row() -> None:
    numbers = SequenceNumbers({})
    assert [numbers.accept(report(None)) for _ in range(2)] == [Receipt(stored=1)] * 2
    assert noted(numbers) == [("", 1, 0, None)]

    known = SequenceNumbers({(KEY, ""): 1})
    assert known.accept(report(None)) == Receipt(stored=1)
    assert noted(known) == []
