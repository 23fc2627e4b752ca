"""What a store guarantees of writes: rows, numbers, namespaces, deletes."""

from __future__ import annotations

import asyncio

from api.report_limits import LONGEST_NAME
from api.timestamps import FIRST_MICROS, LAST_MICROS, to_micros
from dbmanager.store.contract import (
    AttemptOutcome,
    NewRow,
    Receipt,
    Store,
    TrialKey,
)
from tests.contracts.store.calls import (
    HOSTILE,
    KEY,
    NOW,
    behind,
    read,
    rows,
    sent,
    values,
    without_ids,
)


class WriteContract:
    """Reports and deletes."""

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

    async def test_the_sources_of_a_trial_have_their_last_numbers(self, store: Store) -> None:
        assert await store.sources(KEY) == {}
        await store.report(KEY, rows("1"))
        assert await store.sources(KEY) == {}
        await store.report(KEY, rows("1"), sent(1, "a"))
        await store.report(KEY, [], sent(7, "a"))
        await store.report(KEY, rows("1"), sent(2**62, "b"))
        assert await store.sources(KEY) == {"a": 7, "b": 2**62}
        assert await store.sources(TrialKey(namespace="other", trial=KEY.trial)) == {}
        await store.delete(KEY)
        assert await store.sources(KEY) == {}

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
            repeat = await store.report(
                KEY, rows("3"), sent(sequence, outcome=AttemptOutcome.FAILED)
            )
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
        await store.report(KEY, rows("1", "2"), sent(5, outcome=AttemptOutcome.SUCCEEDED))
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
