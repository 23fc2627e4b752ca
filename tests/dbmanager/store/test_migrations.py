"""Databases of Katib and of earlier versions are upgraded when a store opens them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from api.errors import SetupError
from dbmanager.connect import store_for
from dbmanager.store.contract import Delivery, NewRow, Receipt, TrialKey
from tests.dbmanager.database_servers import DatabaseServer
from tests.dbmanager.katib_tables import KatibDatabase
from tests.dbmanager.store.old_databases import OLD, opened, read


async def test_several_managers_may_open_one_database_at_once(katib: KatibDatabase) -> None:
    stores = [store_for(katib.url) for _ in range(5)]
    try:
        await asyncio.gather(*(store.open() for store in stores))
        receipts = await asyncio.gather(
            *(
                s.report(OLD, [NewRow(0, "a", "1")], Delivery(source="x", sequence=1))
                for s in stores
            )
        )
        assert sorted(receipt.stored for receipt in receipts) == [0, 0, 0, 0, 1]
    finally:
        await asyncio.gather(*(store.close() for store in stores))


async def test_several_managers_may_open_one_new_file_at_once(tmp_path: Path) -> None:
    stores = [store_for(f"sqlite:///{tmp_path}/new.db") for _ in range(5)]
    try:
        await asyncio.gather(*(store.open() for store in stores))
        receipts = await asyncio.gather(
            *(
                s.report(OLD, [NewRow(0, "a", "1")], Delivery(source="x", sequence=1))
                for s in stores
            )
        )
        assert sorted(receipt.stored for receipt in receipts) == [0, 0, 0, 0, 1]
    finally:
        await asyncio.gather(*(store.close() for store in stores))


async def test_a_file_that_another_program_is_creating_is_opened_when_it_is_ready(
    tmp_path: Path,
) -> None:
    other = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # SQLite does not wait for it in order to switch to WAL
    store = store_for(f"sqlite:///{tmp_path}/new.db")
    opening = asyncio.create_task(store.open())
    try:
        done, _ = await asyncio.wait({opening}, timeout=0.2)
        assert not done
        other.execute("COMMIT")
        await opening
        await store.ping()
    finally:
        other.close()
        await store.close()


@pytest.mark.parametrize(
    "done_before",
    [
        ("ALTER TABLE observation_logs ADD COLUMN namespace VARCHAR(255) NOT NULL DEFAULT ''",),
        (
            "ALTER TABLE observation_logs ADD COLUMN source VARCHAR(255) NOT NULL DEFAULT ''",
            "CREATE INDEX trialwatch_in_order ON observation_logs (trial_name)",
        ),
        ("CREATE TABLE trialwatch_schema (version INTEGER PRIMARY KEY)",),
    ],
    ids=["a column", "a column and an index", "the table of versions"],
)
async def test_an_interrupted_upgrade_is_finished(
    katib: KatibDatabase, server: DatabaseServer, done_before: tuple[str, ...]
) -> None:
    for statement in done_before:
        await katib.run(statement)
    async with opened(katib.url) as store:
        assert await store.report(OLD, [NewRow(0, "a", "1")]) == Receipt(stored=1)
        assert len(await read(store)) == 5
    async with opened(katib.url) as store:
        assert len(await read(store)) == 5
    assert await katib.run("SELECT version FROM trialwatch_schema") == [(1,), (2,), (3,)]
    await check_index(katib, server)


UNSOURCED = TrialKey(namespace="team", trial="unsourced")


async def test_a_database_of_version_1_is_upgraded(
    katib: KatibDatabase, server: DatabaseServer
) -> None:
    delivery = Delivery(source="pod", sequence=1)
    async with opened(katib.url) as store:
        await store.report(UNSOURCED, [NewRow(0, "loss", "1")])
        await store.report(UNSOURCED, [NewRow(1, "loss", "2")], delivery)
    await to_version_1(katib, server)
    async with opened(katib.url) as store:
        assert await indexes(katib, server) == {"trialwatch_in_order"}
        # Rows without a source count more than rows of an open attempt.
        assert [value for *_, value in await read(store, UNSOURCED)] == ["1"]
        assert (await store.report(UNSOURCED, [], delivery)).repeat
        assert len(await read(store)) == 4
    assert await katib.run("SELECT version FROM trialwatch_schema") == [(1,), (2,), (3,)]


async def test_a_database_of_version_2_gets_steps_and_keeps_its_rows(
    katib: KatibDatabase, server: DatabaseServer
) -> None:
    key = TrialKey(namespace="team", trial="t")
    async with opened(katib.url) as store:
        await store.report(key, [NewRow(1, "loss", "before")])
    await to_version_2(katib, server)
    async with opened(katib.url) as store:
        await store.report(key, [NewRow(1, "loss", "3", 3), NewRow(1, "loss", "2", 2)])
        assert [value for *_, value in await read(store, key)] == ["before", "2", "3"]
        [summary] = await store.summary(key)
        assert (summary.first_step, summary.last_step) == (None, 3)
    assert await indexes(katib, server) == {"trialwatch_in_order"}
    await check_index(katib, server)


async def check_index(katib: KatibDatabase, server: DatabaseServer) -> None:
    """Check that MariaDB's index has the whole order of reads."""
    if server.kind == "MariaDB":
        index = await katib.run("SHOW INDEX FROM observation_logs")
        columns = [row[4] for row in index if row[2] == "trialwatch_in_order"]
        assert columns == ["trial_name", "namespace", "time", "step"]


async def to_version_2(katib: KatibDatabase, server: DatabaseServer) -> None:
    """Take away what version 3 adds."""
    if server.kind == "MariaDB":
        await katib.run("DROP INDEX trialwatch_in_order ON observation_logs")
        await katib.run(
            "CREATE INDEX trialwatch_in_order ON observation_logs (trial_name, namespace, time)"
        )
    await katib.run("ALTER TABLE observation_logs DROP COLUMN step")
    await katib.run("DELETE FROM trialwatch_schema WHERE version = 3")


async def test_a_file_of_version_2_gets_steps_and_keeps_its_rows(tmp_path: Path) -> None:
    url, key = f"sqlite:///{tmp_path}/file.db", TrialKey(namespace="team", trial="t")
    async with opened(url) as store:
        await store.report(key, [NewRow(1, "loss", "before")])
    with sqlite3.connect(tmp_path / "file.db") as connection:
        connection.execute("ALTER TABLE observation_logs DROP COLUMN step")
        connection.execute("DELETE FROM trialwatch_schema WHERE version = 3")
    connection.close()
    async with opened(url) as store:
        await store.report(key, [NewRow(1, "loss", "after", 3)])
        assert [value for *_, value in await read(store, key)] == ["before", "after"]
        [summary] = await store.summary(key)
        assert (summary.first_step, summary.last_step) == (None, 3)


async def test_an_interrupted_upgrade_of_version_1_is_finished(
    katib: KatibDatabase, server: DatabaseServer
) -> None:
    async with opened(katib.url):
        pass
    await katib.run("DELETE FROM trialwatch_schema WHERE version >= 2")
    async with opened(katib.url) as store:
        assert len(await read(store)) == 4
    assert await indexes(katib, server) == {"trialwatch_in_order"}


async def to_version_1(katib: KatibDatabase, server: DatabaseServer) -> None:
    """Create the indexes again that version 2 drops."""
    added = {"trialwatch_by_id": "trial_name, namespace"}
    if server.kind == "MariaDB":
        added["trialwatch_by_source"] = "trial_name, namespace, source"
    for name, columns in added.items():
        await katib.run(f"CREATE INDEX {name} ON observation_logs ({columns})")
    await katib.run("UPDATE trialwatch_sources SET last_sequence = 0 WHERE source = ''")
    await katib.run("DELETE FROM trialwatch_schema WHERE version >= 2")


async def indexes(katib: KatibDatabase, server: DatabaseServer) -> set[str]:
    """Return the indexes that trialwatch adds, except the index of rows without a source."""
    if server.kind == "MariaDB":
        found = await katib.run("SHOW INDEX FROM observation_logs")
        names = {str(row[2]) for row in found}
    else:
        found = await katib.run(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'observation_logs'"
        )
        names = {str(row[0]) for row in found}
    return {name for name in names if name.startswith("trialwatch_")} - {"trialwatch_unsourced"}


async def test_a_file_of_version_1_is_upgraded(tmp_path: Path) -> None:
    url, key = f"sqlite:///{tmp_path}/file.db", TrialKey(namespace="team", trial="trial")
    async with opened(url) as store:
        await store.report(key, [NewRow(0, "loss", "1")])
    with sqlite3.connect(tmp_path / "file.db") as connection:
        connection.execute(
            "CREATE INDEX trialwatch_by_id ON observation_logs (trial_name, namespace)"
        )
        connection.execute("DELETE FROM trialwatch_schema WHERE version >= 2")
    connection.close()
    async with opened(url) as store:
        assert len(await read(store, key)) == 1
    with sqlite3.connect(tmp_path / "file.db") as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall()
    connection.close()
    assert {name for (name,) in found} == {"trialwatch_in_order", "trialwatch_unsourced"}


async def test_a_database_of_a_later_version_is_refused(katib: KatibDatabase) -> None:
    async with opened(katib.url):
        pass
    await katib.run("INSERT INTO trialwatch_schema (version) VALUES (99)")
    with pytest.raises(SetupError, match="version 99"):
        async with opened(katib.url):
            pass


async def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/file.db"
    async with opened(url):
        pass
    with sqlite3.connect(tmp_path / "file.db") as connection:
        connection.execute("INSERT INTO trialwatch_schema (version) VALUES (99)")
    connection.close()
    with pytest.raises(SetupError, match="version 99"):
        async with opened(url):
            pass


async def test_no_table_is_created_if_the_environment_forbids_it(katib: KatibDatabase) -> None:
    store = store_for(katib.url, initialize=False)
    with pytest.raises(SetupError, match="SKIP_DB_INITIALIZATION"):
        await store.open()
    await store.close()
    async with opened(katib.url):
        pass
    store = store_for(katib.url, initialize=False)
    await store.open()
    assert len(await read(store)) == 4
    await store.close()
