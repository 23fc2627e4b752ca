"""Every read finds its rows by an index: tests of the plans of the statements that a store sends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection, Engine, event

from dbmanager.connect import store_for
from dbmanager.store.contract import (
    NO_STEP,
    AttemptOutcome,
    Delivery,
    NewRow,
    Query,
    Store,
    TrialKey,
)
from dbmanager.store.sql_server import ServerStore
from dbmanager.store.sql_store import SqlStore
from dbmanager.store.sqlite.store import SqliteStore

KEY = TrialKey(namespace="team", trial="trial-150")
TRIALS, ROWS = 300, 100
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN ", "mysql": "EXPLAIN "}
ANALYZE = {"postgresql": "ANALYZE", "mysql": "ANALYZE TABLE observation_logs"}

# By an index that trialwatch adds, or by id; MariaDB finds the last id while it makes the plan.
BY_INDEX = (
    "trialwatch_|INTEGER PRIMARY KEY|observation_logs_pkey|observation_logs range PRIMARY"
    "|Select tables optimized away|^[0-9 ]+SEARCH observation_logs$"
)

Statement = tuple[str, Any]


async def whole(pages: AsyncIterator[object]) -> None:
    async for _ in pages:
        pass


READS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "the objective's log": lambda store: whole(store.read(Query(key=KEY, metrics=("loss",)))),
    "a log between two times": lambda store: whole(
        store.read(Query(key=KEY, from_micros=10, to_micros=20))
    ),
    "a later page": lambda store: whole(
        store.read(Query(key=KEY, after=(50, NO_STEP, 1), limit=10))
    ),
    "all rows as new ones": lambda store: whole(store.new_rows(KEY, 100)),
    "the newest rows": lambda store: whole(store.new_rows(KEY, TRIALS * ROWS - 50)),
    "a summary": lambda store: store.summary(KEY),
    "the namespaces of a name": lambda store: store.namespaces(KEY.trial),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("plans")
        return f"sqlite:///{folder}/observations.db"
    server = request.getfixturevalue(request.param)
    found: str = server.url(asyncio.run(server.fresh_database()))
    return found


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    """A store with many trials, after the planner's statistics are updated."""
    store = store_for(url)
    assert isinstance(store, SqlStore)
    await store.open()
    if not await store.namespaces(KEY.trial):
        for trial in range(TRIALS):
            key = TrialKey(namespace="team", trial=f"trial-{trial}")
            rows = [NewRow(n, ("loss", "acc")[n % 2], f"0.{n}") for n in range(ROWS)]
            await store.report(key, rows[:50], Delivery(source="a", sequence=1))
            last = Delivery(source="b", sequence=1, outcome=AttemptOutcome.FAILED)
            await store.report(key, rows[50:], last)
        if _kind(url) in ANALYZE:
            await run(store, [(ANALYZE[_kind(url)], None)])
    yield store
    await store.close()


async def run(store: SqlStore, sent: list[Statement], how: str = "") -> list[str]:
    """Run statements with a prefix; return the text of each result that has rows."""
    found = []

    def run_all(connection: Connection) -> None:
        for statement, parameters in sent:
            answer = connection.exec_driver_sql(f"{how}{statement}", parameters)
            if answer.returns_rows:
                found.append("\n".join(" ".join(map(str, row)) for row in answer.all()))

    if isinstance(store, SqliteStore):
        with store._readers.connect() as one:  # noqa: SLF001 - it is its plans that this is about
            run_all(one)
    elif isinstance(store, ServerStore):
        async with store._readers.connect() as connection:  # noqa: SLF001 - the same
            await connection.run_sync(run_all)
    return found


def walks_over_all(plan: str) -> bool:
    """Return whether a plan reads every row of the table."""
    # MariaDB has one line for each table: id, kind, table, access, ...
    whole = r"SCAN observation_logs|Seq Scan on observation_logs|observation_logs ALL "
    return re.search(whole, plan) is not None


@pytest.mark.parametrize("read", READS)
async def test_a_read_uses_an_index(store: SqlStore, url: str, read: str) -> None:
    sent: list[Statement] = []

    def note(*facts: Any) -> None:  # noqa: ANN401 - what SQLAlchemy tells
        sent.append((facts[2], facts[3]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await READS[read](cast("Store", store))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    of_rows = [(statement, given) for statement, given in sent if "observation_logs" in statement]
    assert of_rows
    for plan in await run(store, of_rows, EXPLAIN[_kind(url)]):
        assert not walks_over_all(plan), plan
        assert re.search(BY_INDEX, plan), plan


async def test_the_plan_of_a_query_without_an_index_is_recognized(
    store: SqlStore, url: str
) -> None:
    question = "SELECT * FROM observation_logs WHERE value = '7'"
    [plan] = await run(store, [(question, None)], EXPLAIN[_kind(url)])
    assert walks_over_all(plan), plan


def _kind(url: str) -> str:
    return url.partition(":")[0]
