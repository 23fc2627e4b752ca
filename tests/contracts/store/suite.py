"""The contract of every observation store. A subclass has the fixture `store`: an open store."""

from __future__ import annotations

import random
from typing import Any

import pytest

from api.errors import Unavailable
from api.report_limits import LARGEST_STEP
from dbmanager.store.contract import (
    AttemptOutcome,
    Delivery,
    NewRow,
    Store,
    TrialKey,
)
from dbmanager.store.memory import MemoryStore
from tests.contracts.store.calls import (
    KEY,
    behind,
    read,
    rows,
    sent,
    values,
    without_ids,
)
from tests.contracts.store.reads import ReadContract
from tests.contracts.store.reductions import ReductionContract
from tests.contracts.store.summaries import SummaryContract
from tests.contracts.store.writes import WriteContract


class StoreContract(WriteContract, ReadContract, SummaryContract, ReductionContract):
    """The guarantees of `dbmanager.store.contract`, one test for each."""

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
        NewRow(
            dice.randrange(-3, 4),
            dice.choice("abA"),
            dice.choice(texts),
            dice.choice([None, None, 0, 1, 2, LARGEST_STEP]),
        )
        for _ in range(dice.choice([0, 1, 2, 5, 30]))
    ]


def _some_delivery(dice: random.Random) -> Delivery | None:
    if dice.random() < 0.1:
        return None
    outcome = dice.choice([None, None, None, *AttemptOutcome])
    sources = ["x", "y", "X"]
    if dice.random() < 0.5:
        sources = [f"reduce:{how}:{pod}:z" for how in ("min", "rank0") for pod in ("0", "1", "")]
    return sent(dice.randrange(1, 20), dice.choice(sources), outcome)


def _some_query(dice: random.Random) -> dict[str, Any]:
    possible: dict[str, Any] = {
        "metrics": tuple(dice.choices("abA", k=2)),
        "from_micros": dice.randrange(-4, 3),
        "to_micros": dice.randrange(-3, 4),
        "limit": dice.randrange(1, 50),
    }
    return {name: value for name, value in possible.items() if dice.random() < 0.4}
