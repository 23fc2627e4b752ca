"""What a store guarantees of reads: attempts, queries, new rows."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from api.report_limits import LARGEST_STEP
from dbmanager.store.contract import (
    AttemptOutcome,
    NewRow,
    Query,
    Receipt,
    Row,
    Store,
    TrialKey,
)
from tests.contracts.store.calls import (
    KEY,
    NOW,
    behind,
    read,
    rows,
    sent,
    values,
)


class ReadContract:
    """Reads of rows."""

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
            delivery = (
                sent(1, source, AttemptOutcome(outcome) if outcome else None) if source else None
            )
            await store.report(KEY, rows(f"of {source}"), delivery)
        wanted = sorted(f"of {source}" for source in given)
        if "" in outcomes:
            wanted = sorted({"of ", *wanted})
        assert sorted(await values(store)) == wanted
        [summary] = await store.summary(KEY)
        assert summary.count == len(wanted)
        assert len(await behind(store, 0)) == len(outcomes), "new rows are of every attempt"

    @pytest.mark.parametrize(
        ("outcomes", "given"),
        [
            ({"one-pod:2-a-1": "succeeded", "one-pod:1-b-1": "succeeded"}, ["one-pod:1-b-1"]),
            ({"one-pod:2-a-1": "stopped", "one-pod:1-b-1": "succeeded"}, ["one-pod:1-b-1"]),
            ({"one-pod:2-a-1": "succeeded", "one-pod:1-b-1": "failed"}, ["one-pod:2-a-1"]),
            ({"one-pod:2-a-1": "succeeded", "one-pod:1-b-1": None}, ["one-pod:2-a-1"]),
            ({"one-pod:2-a-1": None, "one-pod:1-b-1": None}, ["one-pod:2-a-1", "one-pod:1-b-1"]),
            (
                {"pod:a:one-pod:2-a-1": "succeeded", "pod:b:one-pod:1-b-1": "succeeded"},
                ["pod:b:one-pod:1-b-1"],
            ),
            ({"pod:a:2-1": "succeeded", "pod:b:1-1": "succeeded"}, ["pod:a:2-1", "pod:b:1-1"]),
            ({"one-pod:1-a-1": "succeeded", "b": "succeeded"}, ["one-pod:1-a-1", "b"]),
        ],
        ids=str,
    )
    async def test_of_two_pods_that_did_the_same_work_the_first_counts(
        self, store: Store, outcomes: dict[str, str | None], given: list[str]
    ) -> None:
        for source, outcome in outcomes.items():
            delivery = sent(1, source, AttemptOutcome(outcome) if outcome else None)
            await store.report(KEY, rows(f"of {source}"), delivery)
        assert sorted(await values(store)) == sorted(f"of {source}" for source in given)
        [summary] = await store.summary(KEY)
        assert summary.count == len(given)
        assert len(await behind(store, 0)) == len(outcomes), "new rows are of every attempt"

    async def test_the_last_report_of_a_source_says_how_it_ended(self, store: Store) -> None:
        await store.report(KEY, rows("1"), sent(1, "a"))
        await store.report(KEY, rows("2"), sent(1, "b"))
        assert await values(store) == ["1", "2"]
        await store.report(KEY, [], sent(2, "a", AttemptOutcome.FAILED))
        assert await values(store) == ["2"]
        await store.report(KEY, [], sent(2, "b", AttemptOutcome.FAILED))
        assert await values(store) == ["1", "2"]
        await store.report(KEY, rows("3"), sent(3, "a", AttemptOutcome.SUCCEEDED))
        assert sorted(await values(store)) == ["1", "3"]

    async def test_a_source_counts_before_it_has_rows(self, store: Store) -> None:
        await store.report(KEY, rows("1"), sent(1, "a", AttemptOutcome.FAILED))
        assert await store.report(KEY, [], sent(1, "b")) == Receipt(stored=0)
        assert await values(store) == []
        assert await store.namespaces("trial") == {"team"}

    async def test_a_source_without_rows_is_stored_under_its_namespace(self, store: Store) -> None:
        await store.report(KEY, [], sent(1))
        assert await store.namespaces("trial") == {"team"}
        assert await store.delete(KEY) == 0
        assert await store.namespaces("trial") == frozenset()

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
        steps = [None, 0, 1, LARGEST_STEP]
        await store.report(KEY, [NewRow(n // 8, "a", f"{n}", steps[n % 4]) for n in range(40)])
        whole = await read(store)
        for size in (1, 3, 7, 40):
            found: list[Row] = []
            while page := await read(store, limit=size, after=found[-1].place if found else None):
                assert len(page) <= size
                found += page
            assert found == whole

    async def test_rows_of_one_time_come_by_step_and_those_without_a_step_first(
        self, store: Store
    ) -> None:
        steps = [7, None, LARGEST_STEP, 0, 7, None]
        await store.report(
            KEY, [NewRow(NOW, "a", str(n), step) for n, step in enumerate(steps)], sent(1)
        )
        await store.report(KEY, [NewRow(NOW - 1, "a", "before", 8)], sent(2))
        found = await read(store)
        assert [row.value for row in found] == ["before", "1", "5", "3", "0", "4", "2"]
        assert [row.step for row in found] == [8, None, None, 0, 7, 7, LARGEST_STEP]
        assert [row.step for row in await behind(store, 0)] == [*steps, 8]

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
        await store.report(KEY, rows("3"), sent(1, "b", AttemptOutcome.FAILED))
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
