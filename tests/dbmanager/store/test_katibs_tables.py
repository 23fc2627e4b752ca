"""A store uses the tables and rows that Katib has written, and Katib can still use them."""

from __future__ import annotations

from dbmanager.store.contract import Delivery, NewRow, TrialKey
from tests.dbmanager.database_servers import DatabaseServer
from tests.dbmanager.katib_tables import KatibDatabase
from tests.dbmanager.store.old_databases import OLD, opened, read


async def test_a_store_reads_the_rows_of_katib(katib: KatibDatabase) -> None:
    async with opened(katib.url) as store:
        assert await read(store) == [
            ("0001-01-01T00:00:00Z", "unavailable", "unavailable"),
            ("2024-05-01T09:00:00.123456Z", "Loss", "1"),
            ("2024-05-01T10:00:00.5Z", "loss", "0.5"),
            ("2024-05-01T10:00:00.5Z", "loss", "0.5"),
        ]
        assert await store.namespaces("old") == {""}
        assert [(s.metric, s.count) for s in await store.summary(OLD)] == [
            ("Loss", 1),
            ("loss", 2),
            ("unavailable", 1),
        ]
        assert len(await read(store, TrialKey(namespace="", trial="Old"))) == 1


async def test_katib_still_reads_and_writes_after_the_upgrade(katib: KatibDatabase) -> None:
    ours = TrialKey(namespace="team", trial="new")
    async with opened(katib.url) as store:
        await store.report(ours, [NewRow(0, "loss", "0.25", 7)], Delivery(source="pod", sequence=1))
        assert await katib.read("new") == [("loss", "0.25")]
        await katib.write(("old", "2024-05-02 00:00:00", "loss", "0.125"))
        assert (await read(store))[-1] == ("2024-05-02T00:00:00Z", "loss", "0.125")
        await katib.write(("new", "2024-05-02 00:00:00", "loss", "theirs"))
        assert await store.namespaces("new") == {"", "team"}
        assert await read(store, ours) == [("1970-01-01T00:00:00Z", "loss", "0.25")]
        await katib.run("DELETE FROM observation_logs WHERE trial_name = 'old'")
        assert await read(store) == []


async def test_rows_without_a_time_are_ignored_as_in_katib(katib: KatibDatabase) -> None:
    await katib.write(("timeless", None, "loss", "1"), ("timeless", "2024-05-01", "loss", "2"))
    key = TrialKey(namespace="", trial="timeless")
    async with opened(katib.url) as store:
        assert await read(store, key) == [("2024-05-01T00:00:00Z", "loss", "2")]
        assert [summary.count for summary in await store.summary(key)] == [1]
        assert len([row async for page in store.new_rows(key, 0) for row in page]) == 1
        await store.delete(key)
        assert await katib.read("timeless") == []


async def test_ids_continue_after_katibs_ids(katib: KatibDatabase, server: DatabaseServer) -> None:
    last = 2**31 - 1
    if server.kind == "PostgreSQL":
        await katib.run(f"SELECT setval('observation_logs_id_seq', {last})")
    else:
        await katib.run(f"ALTER TABLE observation_logs AUTO_INCREMENT = {last}")
        await katib.write(("old", "2024-05-03", "loss", "the last"))
    key = TrialKey(namespace="", trial="later")
    async with opened(katib.url) as store:
        await store.report(key, [NewRow(n, "loss", "1") for n in range(3)])
        ids = [row.id async for page in store.new_rows(key, 0) for row in page]
        assert ids == [last + 1, last + 2, last + 3]
        await katib.write(("later", "2024-05-03", "loss", "2"))
        assert len(await read(store, key)) == 4


async def test_text_of_an_old_character_set_is_converted(
    katib: KatibDatabase, server: DatabaseServer
) -> None:
    if server.kind == "MariaDB":
        [[charset]] = await katib.run(
            "SELECT character_set_name FROM information_schema.columns"
            " WHERE table_schema = database() AND column_name = 'value'"
        )
        assert charset == "latin1", "the server's default makes this test what it is"
    await katib.write(("überall", "2024-05-01", "Größe", "çà"))
    key = TrialKey(namespace="", trial="überall")
    async with opened(katib.url) as store:
        assert await read(store, key) == [("2024-05-01T00:00:00Z", "Größe", "çà")]
        await store.report(key, [NewRow(0, "🦊", "🦊")])
        assert (await read(store, key))[0][1:] == ("🦊", "🦊")
