"""What a store guarantees of summaries."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dbmanager.store.contract import (
    NewRow,
    Store,
    Summary,
)
from tests.contracts.store.calls import (
    KEY,
    NOW,
    rows,
)


class SummaryContract:
    """Summaries of metrics."""

    async def test_a_summary_tells_of_each_metric(self, store: Store) -> None:
        await store.report(KEY, rows("3", "1.50", "2", metric="loss"))
        await store.report(KEY, rows("a", "b", metric="note", start=NOW - 5))
        assert await store.summary(KEY) == [
            Summary(
                metric="loss",
                count=3,
                first="3",
                last="2",
                minimum="1.50",
                maximum="3",
                first_micros=NOW,
                last_micros=NOW + 2,
            ),
            Summary(
                metric="note",
                count=2,
                first="a",
                last="b",
                minimum=None,
                maximum=None,
                first_micros=NOW - 5,
                last_micros=NOW - 4,
            ),
        ]
        assert [s.metric for s in await store.summary(KEY, ["note", "unknown"])] == ["note"]
        assert await store.summary(KEY, ["Loss"]) == []

    @pytest.mark.parametrize(
        ("texts", "minimum", "maximum"),
        [
            (["1", "nan", "NaN", "inf", "-Infinity", "1e999", "-1e999"], "1", "1"),
            (["0x1f", "1_0", "", " 1", "1 ", "1\n", "\n1", "１", "1,5", "1e", ".", "+", "e5"], None, None),
            (["--1", "1.2.3", "1e5.5", "1f", "0x", "1d", "²", "٣"], None, None),
            (["10", "9", "1e1", "+10", "010", "10.0"], "9", "10"),
            (["1.0", "1", "1.00"], "1.0", "1.0"),
            (["-0", "0", "0.0"], "-0", "-0"),
            ([".5", "5.", "+1", "-.5e-1"], "-.5e-1", "5."),
            (["1e-400", "-1e-99999", "1e-20000", "0e99999"], "1e-400", "1e-400"),
            (["1e99999", "1e20000", "-1e310", "5"], "5", "5"),
            (["5e-324", "1", "2.2250738585072014e-308"], "5e-324", "1"),
            (["1.7976931348623157e308", "1"], "1", "1.7976931348623157e308"),
            (["1.8e308", "-1.7976931348623157E+308"], "-1.7976931348623157E+308", "-1.7976931348623157E+308"),
            (["0.1", "0.10000000000000001", "0.1000000000000000055"], "0.1", "0.1"),
            (["9007199254740993", "9007199254740992"], "9007199254740993", "9007199254740993"),
            (["1e" + "0" * 50 + "2", "99"], "99", "1e" + "0" * 50 + "2"),
            (["0." + "0" * 990 + "1", "1"], "0." + "0" * 990 + "1", "1"),
            (["9" * 2_000, "1"], "1", "1"),
        ],
        ids=lambda case: str(case)[:40],
    )  # fmt: skip
    async def test_the_least_and_greatest_are_those_of_finite_numbers_and_the_first_of_equals(
        self, store: Store, texts: Sequence[str], minimum: str | None, maximum: str | None
    ) -> None:
        await store.report(KEY, rows(*texts))
        [summary] = await store.summary(KEY)
        assert (summary.minimum, summary.maximum) == (minimum, maximum)
        assert (summary.first, summary.last, summary.count) == (texts[0], texts[-1], len(texts))

    async def test_of_rows_at_one_time_the_first_that_came_is_the_first(self, store: Store) -> None:
        await store.report(KEY, rows("2", "1", "1.0", "2.0", step=0))
        [summary] = await store.summary(KEY)
        assert (summary.first, summary.last) == ("2", "2.0")
        assert (summary.minimum, summary.maximum) == ("1", "2")

    async def test_a_summary_has_the_steps_of_its_four_values(self, store: Store) -> None:
        texts = [("2", None), ("1", 10), ("5", 20), ("3", 30)]
        reported = [NewRow(NOW + n, "loss", text, step) for n, (text, step) in enumerate(texts)]
        await store.report(KEY, reported)
        [summary] = await store.summary(KEY)
        assert (summary.first_step, summary.last_step) == (None, 30)
        assert (summary.minimum_step, summary.maximum_step) == (10, 20)

    async def test_of_rows_at_one_time_the_row_with_the_highest_step_is_the_last(
        self, store: Store
    ) -> None:
        reported = [
            NewRow(NOW, "loss", text, step) for text, step in (("a", 9), ("b", 2), ("c", 5))
        ]
        await store.report(KEY, reported)
        [summary] = await store.summary(KEY)
        assert (summary.first, summary.first_step) == ("b", 2)
        assert (summary.last, summary.last_step) == ("a", 9)

    async def test_a_row_that_came_later_for_an_earlier_time_is_the_first(
        self, store: Store
    ) -> None:
        await store.report(KEY, rows("1.0", "5"))
        await store.report(KEY, rows("1.00", start=NOW - 1))
        [summary] = await store.summary(KEY)
        assert (summary.first, summary.last, summary.minimum) == ("1.00", "5", "1.00")
