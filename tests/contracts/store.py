"""The contract of every observation store. A subclass has the fixture `store`: an open store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from api.errors import Unavailable
from api.timestamps import FIRST_MICROS, LAST_MICROS, to_micros
from dbmanager.store.contract import (
    LONGEST_NAME,
    Delivery,
    NewRow,
    Outcome,
    Query,
    Receipt,
    Row,
    Store,
    Summary,
    TrialKey,
)
from dbmanager.store.memory import MemoryStore

KEY = TrialKey(namespace="team", trial="trial")
NOW = to_micros("2026-01-31T12:00:00.123456Z")

LOOK_ALIKES = (
    "loss",
    "Loss",
    "LOSS",
    "löss",
    "loss ",
    " loss",
    "lo\u0308ss",
    "loß",
    "ｌoss",
    "los",
)
HOSTILE = (
    *LOOK_ALIKES,
    "'; DROP TABLE observation_logs; --",
    '"quoted"',
    "back\\slash",
    "\\'",
    "100%",
    "%s",
    "%(name)s",
    ":name",
    "?1",
    "{0}",
    "tab\tnew\nline\r\n",
    "\x01\x1f\x7f",
    "🦊🦊",
    "\u202eright to left",
    "\ufeff",
    "\ufffd",
    "\U0010ffff",
    "NULL",
    "\\N",
)


def rows(*values: str, metric: str = "loss", start: int = NOW, step: int = 1) -> list[NewRow]:
    return [NewRow(start + step * n, metric, value) for n, value in enumerate(values)]


def sent(sequence: int, source: str = "pod-1", outcome: Outcome | None = None) -> Delivery:
    return Delivery(source=source, sequence=sequence, outcome=outcome)


async def read(store: Store, key: TrialKey = KEY, **query: Any) -> list[Row]:  # noqa: ANN401 - the fields of a Query
    pages = [page async for page in store.read(Query(key=key, **query))]
    assert all(pages), "an empty page"
    return [row for page in pages for row in page]


async def values(store: Store, key: TrialKey = KEY, **query: Any) -> list[str]:  # noqa: ANN401 - the same
    return [row.value for row in await read(store, key, **query)]


async def behind(store: Store, after_id: int, key: TrialKey = KEY) -> list[Row]:
    return [row async for page in store.new_rows(key, after_id) for row in page]


def without_ids(found: Iterable[Row]) -> list[NewRow]:
    return [NewRow(*row[1:]) for row in found]


class StoreContract:
    """The guarantees of `dbmanager.store.contract`, one test for each."""

    async def test_rows_come_by_time_and_then_as_they_came(self, store: Store) -> None:
        await store.report(KEY, [NewRow(5, "a", "1"), NewRow(3, "a", "2"), NewRow(5, "b", "3")])
        await store.report(KEY, [NewRow(5, "a", "4"), NewRow(-1, "a", "5")])
        found = await read(store)
        assert [row.value for row in found] == ["5", "2", "1", "3", "4"]
        assert [row.micros for row in found] == [-1, 3, 5, 5, 5]

    async def test_the_first_and_the_last_possible_microsecond_are_stored(
        self, store: Store
    ) -> None:
        times = [FIRST_MICROS, FIRST_MICROS + 1, to_micros("0999-12-31T23:59:59.999999Z"), -1, 0]
        times += [NOW, LAST_MICROS - 1, LAST_MICROS]
        await store.report(KEY, [NewRow(time, "unavailable", str(time)) for time in times])
        assert [(row.micros, row.value) for row in await read(store)] == [
            (t, str(t)) for t in times
        ]
        assert len(await read(store, from_micros=FIRST_MICROS, to_micros=LAST_MICROS)) == len(times)
        [summary] = await store.summary(KEY)
        assert (summary.first_micros, summary.last_micros) == (FIRST_MICROS, LAST_MICROS)

    async def test_an_unknown_trial_has_no_rows_and_no_namespace(self, store: Store) -> None:
        assert await read(store) == []
        assert await behind(store, 0) == []
        assert await store.summary(KEY) == []
        assert await store.namespaces("trial") == frozenset()

    async def test_a_report_without_rows_and_without_a_source_stores_nothing(
        self, store: Store
    ) -> None:
        assert await store.report(KEY, []) == Receipt(stored=0)
        assert await store.namespaces("trial") == frozenset()

    async def test_any_text_is_stored_unchanged(self, store: Store) -> None:
        sent_rows = [NewRow(n, text, text) for n, text in enumerate((*HOSTILE, "x" * LONGEST_NAME))]
        await store.report(KEY, sent_rows)
        assert without_ids(await read(store)) == sent_rows
        assert {summary.metric for summary in await store.summary(KEY)} == {
            r.metric for r in sent_rows
        }
        for row in sent_rows:
            assert await values(store, metrics=(row.metric,)) == [row.value]

    async def test_a_value_may_be_empty_or_long(self, store: Store) -> None:
        texts = ("", "é" * 300_000, "end")
        await store.report(KEY, rows(*texts))
        assert tuple(await values(store)) == texts

    async def test_names_that_look_alike_are_different(self, store: Store) -> None:
        for name in HOSTILE:
            await store.report(TrialKey(namespace="a", trial=name), rows(name))
            await store.report(TrialKey(namespace=name, trial="same"), rows(name))
        assert await store.namespaces("same") == frozenset(HOSTILE)
        for name in HOSTILE:
            assert await store.namespaces(name) == {"a"}
            assert await values(store, TrialKey(namespace="a", trial=name)) == [name]
            assert await values(store, TrialKey(namespace=name, trial="same")) == [name]
        assert await store.delete(TrialKey(namespace="a", trial="loss")) == 1
        assert await values(store, TrialKey(namespace="a", trial="Loss")) == ["Loss"]

    async def test_sources_that_look_alike_are_different(self, store: Store) -> None:
        for source in HOSTILE:
            receipt = await store.report(KEY, rows(source), sent(1, source))
            assert receipt == Receipt(stored=1)
        assert sorted(await values(store)) == sorted(HOSTILE)

    async def test_the_longest_names_are_stored_unchanged(self, store: Store) -> None:
        longest = "🦊" * LONGEST_NAME
        key = TrialKey(namespace=longest, trial=longest)
        await store.report(key, rows("1", metric=longest), sent(1, longest))
        await store.report(key, rows("2", metric=longest[:-1] + "x"), sent(1, longest[:-1] + "x"))
        assert [row.metric for row in await read(store, key)] == [longest, longest[:-1] + "x"]
        assert await store.namespaces(longest) == {longest}

    # Exactly once

    async def test_a_repeat_is_acknowledged_and_changes_nothing(self, store: Store) -> None:
        assert await store.report(KEY, rows("1"), sent(1)) == Receipt(stored=1)
        assert await store.report(KEY, rows("2"), sent(2)) == Receipt(stored=1)
        for sequence in (1, 2):
            repeat = await store.report(KEY, rows("3"), sent(sequence, outcome=Outcome.FAILED))
            assert repeat == Receipt(stored=0, repeat=True)
        await store.report(KEY, rows("4"), sent(1, "pod-2"))
        # If the repeat's outcome counted, the read would no longer return the first source's rows.
        assert sorted(await values(store)) == ["1", "2", "4"]

    async def test_a_number_that_skips_some_is_stored_and_its_gap_returned(
        self, store: Store
    ) -> None:
        assert await store.report(KEY, rows("1"), sent(3)) == Receipt(stored=1, gap=2)
        assert await store.report(KEY, rows("2"), sent(4)) == Receipt(stored=1)
        assert await store.report(KEY, rows("3"), sent(10)) == Receipt(stored=1, gap=5)
        assert (await store.report(KEY, rows("4"), sent(9))).repeat
        assert await values(store) == ["1", "2", "3"]

    async def test_numbers_belong_to_a_source_of_a_trial_in_a_namespace(self, store: Store) -> None:
        other_trial = TrialKey(namespace="team", trial="other")
        other_namespace = TrialKey(namespace="", trial="trial")
        for key in (KEY, other_trial, other_namespace):
            assert await store.report(key, rows("1"), sent(1)) == Receipt(stored=1)
        assert await store.report(KEY, rows("2"), sent(1, "pod-2")) == Receipt(stored=1)

    async def test_reports_without_a_source_are_stored_each_time(self, store: Store) -> None:
        for _ in range(3):
            assert await store.report(KEY, rows("1")) == Receipt(stored=1)
        assert await values(store) == ["1", "1", "1"]

    async def test_numbers_may_be_as_large_as_64_bits(self, store: Store) -> None:
        large = 2**62
        assert (await store.report(KEY, rows("1"), sent(large))).gap == large - 1
        assert (await store.report(KEY, rows("2"), sent(large))).repeat
        assert (await store.report(KEY, rows("3"), sent(large + 1))).stored == 1

    async def test_one_report_that_is_sent_many_times_at_once_is_stored_once(
        self, store: Store
    ) -> None:
        receipts = await asyncio.gather(
            *(store.report(KEY, rows("1", "2"), sent(1)) for _ in range(20))
        )
        assert sorted(receipt.stored for receipt in receipts) == [0] * 19 + [2]
        assert await values(store) == ["1", "2"]

    async def test_writers_at_the_same_time_lose_nothing_and_store_nothing_twice(
        self, store: Store
    ) -> None:
        keys = [KEY, TrialKey(namespace="", trial="trial"), TrialKey(namespace="b", trial="x")]

        async def write(key: TrialKey, source: str) -> None:
            for sequence in range(1, 11):
                text = f"{source} {sequence}"
                receipts = [
                    await store.report(key, rows(text, text), sent(sequence, source))
                    for _ in range(2)
                ]
                assert receipts == [Receipt(stored=2), Receipt(stored=0, repeat=True)]

        await asyncio.gather(*(write(key, f"pod-{n}") for key in keys for n in range(6)))
        wanted = sorted(f"pod-{n} {s}" for n in range(6) for s in range(1, 11) for _ in range(2))
        for key in keys:
            assert sorted(await values(store, key)) == wanted

    async def test_a_report_of_a_hundred_thousand_rows_is_stored_as_one(self, store: Store) -> None:
        many = [NewRow(n % 7, f"metric-{n % 3}", str(n)) for n in range(100_000)]
        assert await store.report(KEY, many, sent(1)) == Receipt(stored=100_000)
        assert (await store.report(KEY, many, sent(1))).repeat
        assert without_ids(await read(store)) == sorted(many, key=lambda row: row.micros)
        assert without_ids(await behind(store, 0)) == many
        assert await store.delete(KEY) == 100_000

    # Attempts

    @pytest.mark.parametrize(
        ("outcomes", "given"),
        [
            ({"a": None}, "a"),
            ({"a": "failed"}, "a"),
            ({"a": "failed", "b": None}, "b"),
            ({"a": "failed", "b": "failed"}, "ab"),
            ({"a": None, "b": None, "c": "failed"}, "ab"),
            ({"a": "succeeded", "b": None, "c": "failed"}, "a"),
            ({"a": "stopped", "b": None, "c": "failed"}, "a"),
            ({"a": "stopped", "b": "succeeded", "c": None}, "ab"),
            ({"": None, "a": None, "b": "failed"}, ""),
            ({"": None, "a": "succeeded", "b": "failed"}, "a"),
            ({"": None, "a": "stopped", "b": None}, "a"),
            ({"": None, "a": "failed"}, ""),
        ],
        ids=str,
    )
    async def test_a_read_gives_the_attempts_that_count(
        self, store: Store, outcomes: dict[str, str | None], given: str
    ) -> None:
        for source, outcome in outcomes.items():
            delivery = sent(1, source, Outcome(outcome) if outcome else None) if source else None
            await store.report(KEY, rows(f"of {source}"), delivery)
        wanted = sorted(f"of {source}" for source in given)
        if "" in outcomes:
            wanted = sorted({"of ", *wanted})
        assert sorted(await values(store)) == wanted
        [summary] = await store.summary(KEY)
        assert summary.count == len(wanted)
        assert len(await behind(store, 0)) == len(outcomes), "new rows are of every attempt"

    async def test_the_last_report_of_a_source_says_how_it_ended(self, store: Store) -> None:
        await store.report(KEY, rows("1"), sent(1, "a"))
        await store.report(KEY, rows("2"), sent(1, "b"))
        assert await values(store) == ["1", "2"]
        await store.report(KEY, [], sent(2, "a", Outcome.FAILED))
        assert await values(store) == ["2"]
        await store.report(KEY, [], sent(2, "b", Outcome.FAILED))
        assert await values(store) == ["1", "2"]
        await store.report(KEY, rows("3"), sent(3, "a", Outcome.SUCCEEDED))
        assert sorted(await values(store)) == ["1", "3"]

    async def test_a_source_counts_before_it_has_rows(self, store: Store) -> None:
        await store.report(KEY, rows("1"), sent(1, "a", Outcome.FAILED))
        assert await store.report(KEY, [], sent(1, "b")) == Receipt(stored=0)
        assert await values(store) == []
        assert await store.namespaces("trial") == {"team"}

    async def test_a_source_without_rows_is_stored_under_its_namespace(self, store: Store) -> None:
        await store.report(KEY, [], sent(1))
        assert await store.namespaces("trial") == {"team"}
        assert await store.delete(KEY) == 0
        assert await store.namespaces("trial") == frozenset()

    # Namespaces

    async def test_trials_of_one_name_in_two_namespaces_share_nothing(self, store: Store) -> None:
        keys = [TrialKey(namespace=namespace, trial="trial") for namespace in ("", "a", "b", "zz")]
        for key in keys:
            await store.report(key, rows(f"in {key.namespace}"), sent(1))
        assert await store.namespaces("trial") == {"", "a", "b", "zz"}
        assert await store.delete(keys[1]) == 1
        assert await store.namespaces("trial") == {"", "b", "zz"}
        for key in (keys[0], *keys[2:]):
            assert await values(store, key) == [f"in {key.namespace}"]
            assert [row.value for row in await behind(store, 0, key)] == [f"in {key.namespace}"]
            assert [s.first for s in await store.summary(key)] == [f"in {key.namespace}"]

    # Deletes

    async def test_a_deleted_trial_begins_anew(self, store: Store) -> None:
        await store.report(KEY, rows("1", "2"), sent(5, outcome=Outcome.SUCCEEDED))
        last = (await read(store))[-1].id
        assert await store.delete(KEY) == 2
        assert await store.delete(KEY) == 0
        assert await values(store) == []
        assert await store.namespaces("trial") == frozenset()
        assert await store.report(KEY, rows("3"), sent(1)) == Receipt(stored=1)
        [row] = await read(store)
        assert row.id > last, "an id was used twice"

    async def test_reports_and_deletes_at_the_same_time_leave_a_trial_whole(
        self, store: Store
    ) -> None:
        async def write(source: str) -> None:
            for sequence in range(1, 11):
                await store.report(KEY, rows("1", "2", "3"), sent(sequence, source))

        async def remove() -> int:
            return sum([await store.delete(KEY) or 0 for _ in range(10)])

        removing = asyncio.create_task(remove())
        await asyncio.gather(*(write(f"pod-{n}") for n in range(4)))
        gone = await removing
        left = await values(store)
        # A report after a delete skips the earlier numbers, but no row is lost or stored twice.
        assert gone + len(left) == 4 * 10 * 3
        assert len(left) % 3 == 0

    # Queries

    @pytest.mark.parametrize(
        ("query", "wanted"),
        [
            ({}, "012345"),
            ({"metrics": ("a",)}, "024"),
            ({"metrics": ("b", "a")}, "012345"),
            ({"metrics": ("c",)}, ""),
            ({"metrics": ("A", "a ")}, ""),
            ({"from_micros": NOW + 2}, "2345"),
            ({"to_micros": NOW + 2}, "012"),
            ({"from_micros": NOW + 2, "to_micros": NOW + 2}, "2"),
            ({"from_micros": NOW + 3, "to_micros": NOW + 2}, ""),
            ({"limit": 2}, "01"),
            ({"limit": 100}, "012345"),
            ({"limit": 2, "metrics": ("b",), "from_micros": NOW + 2}, "35"),
        ],
        ids=str,
    )
    async def test_a_query_gives_the_rows_asked_for(
        self, store: Store, query: dict[str, Any], wanted: str
    ) -> None:
        await store.report(KEY, [NewRow(NOW + n, "ab"[n % 2], str(n)) for n in range(6)])
        assert "".join(await values(store, **query)) == wanted

    async def test_a_page_continues_after_the_last_row_even_if_times_are_equal(
        self, store: Store
    ) -> None:
        await store.report(KEY, [NewRow(n // 4, "a", str(n)) for n in range(20)])
        await store.report(KEY, [NewRow(n // 4, "a", f"late {n}") for n in range(20)])
        whole = await read(store)
        for size in (1, 3, 7, 40):
            found: list[Row] = []
            while page := await read(
                store, limit=size, after=(found[-1].micros, found[-1].id) if found else None
            ):
                assert len(page) <= size
                found += page
            assert found == whole

    async def test_rows_come_in_pieces_of_some_thousands(self, store: Store) -> None:
        await store.report(KEY, rows(*map(str, range(23_456)), step=0))
        pages = [page async for page in store.read(Query(key=KEY))]
        assert max(map(len, pages)) <= 10_000
        assert [row.value for page in pages for row in page] == [*map(str, range(23_456))]

    async def test_a_read_that_is_not_finished_does_no_harm(self, store: Store) -> None:
        await store.report(KEY, rows(*map(str, range(12_000))))
        unfinished = store.read(Query(key=KEY))
        await anext(unfinished)
        await store.report(KEY, rows("more"))
        assert await store.delete(KEY) == 12_001
        await unfinished.aclose()  # type: ignore[attr-defined]

    # New rows

    async def test_new_rows_come_by_id_behind_an_id(self, store: Store) -> None:
        await store.report(KEY, [NewRow(9, "a", "1"), NewRow(1, "b", "2")], sent(1, "a"))
        await store.report(TrialKey(namespace="x", trial="trial"), rows("not ours"))
        await store.report(KEY, rows("3"), sent(1, "b", Outcome.FAILED))
        await store.report(KEY, rows("4"))
        found = await behind(store, 0)
        assert [row.value for row in found] == ["1", "2", "3", "4"]
        assert all(earlier.id < later.id for earlier, later in pairwise(found))
        assert await behind(store, found[1].id) == found[2:]
        assert await behind(store, found[-1].id) == []

    async def test_a_reader_of_new_rows_misses_no_row(self, store: Store) -> None:
        async def write(source: str) -> None:
            for sequence in range(1, 16):
                # Unequal sizes, so that commits do not come in the order of the ids.
                texts = [f"{source} {sequence} {n}" for n in range(1 + 40 * (sequence % 3))]
                await store.report(KEY, rows(*texts), sent(sequence, source))

        writing = asyncio.gather(*(write(f"pod-{n}") for n in range(5)))
        seen: dict[int, str] = {}
        last, ended = 0, False
        while not ended:
            ended = writing.done()
            for row in await behind(store, last):
                seen[row.id] = row.value
                last = max(last, row.id)
            await asyncio.sleep(0)
        await writing
        assert sorted(seen.values()) == sorted(await values(store))

    # Summaries

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

    async def test_a_row_that_came_later_for_an_earlier_time_is_the_first(
        self, store: Store
    ) -> None:
        await store.report(KEY, rows("1.0", "5"))
        await store.report(KEY, rows("1.00", start=NOW - 1))
        [summary] = await store.summary(KEY)
        assert (summary.first, summary.last, summary.minimum) == ("1.00", "5", "1.00")

    # Anything

    @pytest.mark.parametrize("seed", range(6))
    async def test_any_requests_have_the_answers_of_the_plain_words(
        self, store: Store, seed: int
    ) -> None:
        dice, plain = random.Random(seed), MemoryStore()
        await plain.open()
        for _ in range(60):
            key = TrialKey(namespace=dice.choice(["", "a"]), trial=dice.choice(["t", "T"]))
            if dice.random() < 0.05:
                assert await store.delete(key) == await plain.delete(key)
            else:
                some, delivery = _some_rows(dice), _some_delivery(dice)
                answers = [await to.report(key, some, delivery) for to in (store, plain)]
                assert answers[0] == answers[1]
            query = _some_query(dice)
            assert await store.namespaces(key.trial) == await plain.namespaces(key.trial)
            assert without_ids(await read(store, key, **query)) == without_ids(
                await read(plain, key, **query)
            )
            assert await store.summary(key) == await plain.summary(key)
            assert without_ids(await behind(store, 0, key)) == without_ids(
                await behind(plain, 0, key)
            )

    # Life

    async def test_open_ping_and_close_may_be_repeated(self, store: Store) -> None:
        await store.report(KEY, rows("1"))
        await store.open()
        await store.ping()
        await store.close()
        await store.close()
        for asked in (store.ping(), store.report(KEY, rows("2")), store.summary(KEY)):
            with pytest.raises(Unavailable):
                await asked
        await store.open()
        await store.ping()
        assert await values(store) == ["1"]


def _some_rows(dice: random.Random) -> list[NewRow]:
    texts = ["1", "1.0", "-3", "nan", "", "1e999", "7e-3", " 1", "0x1"]
    return [
        NewRow(dice.randrange(-3, 4), dice.choice("abA"), dice.choice(texts))
        for _ in range(dice.choice([0, 1, 2, 5, 30]))
    ]


def _some_delivery(dice: random.Random) -> Delivery | None:
    if dice.random() < 0.1:
        return None
    outcome = dice.choice([None, None, None, *Outcome])
    return sent(dice.randrange(1, 20), dice.choice("xyX"), outcome)


def _some_query(dice: random.Random) -> dict[str, Any]:
    possible: dict[str, Any] = {
        "metrics": tuple(dice.choices("abA", k=2)),
        "from_micros": dice.randrange(-4, 3),
        "to_micros": dice.randrange(-3, 4),
        "limit": dice.randrange(1, 50),
    }
    return {name: value for name, value in possible.items() if dice.random() < 0.4}
