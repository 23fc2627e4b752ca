"""URLs, and databases that are missing or unusable."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from api.errors import SetupError, Unavailable
from dbmanager.connect import store_for, without_password
from dbmanager.store.contract import NewRow, Query, Receipt, TrialKey
from tests.dbmanager.database_servers import DatabaseServer, MariaDB, PostgreSQL, free_port, running

KEY = TrialKey(namespace="", trial="trial")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "oracle://u:secret@h/db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://h/f",
    ],
)
def test_an_unknown_kind_of_url_is_refused_with_the_known_kinds(url: str) -> None:
    with pytest.raises(SetupError, match="write sqlite:///FILE, postgresql://") as caught:
        store_for(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (
            "postgresql://u:secret@h:5/db?sslmode=disable",
            "postgresql://u:***@h:5/db?sslmode=disable",
        ),
        ("mysql://u@h/db", "mysql://u@h/db"),
        ("mysql://u:a@b:secret@h/db", "mysql://u:***@h/db"),
        ("sqlite:///file", "sqlite:///file"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, wanted: str) -> None:
    assert without_password(url) == wanted


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:secret@[::1/db", "cannot read the URL"),
        ("postgresql://u:secret@h:x/db", "check the port"),
        ("postgresql://u:secret@h/db?sslmode=banana", "sslmode"),
        ("mysql://u:secret@h:x/db", "check the port"),
        ("mysql://u:secret@h/db?banana=1", "'banana'; known are unix_socket, ssl_ca"),
    ],
)
async def test_a_url_that_its_driver_refuses_is_a_set_up_error(url: str, words: str) -> None:
    with pytest.raises(SetupError, match="--database: ") as caught:
        await store_for(url).open()
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_a_server_that_does_not_run_is_unavailable(scheme: str) -> None:
    store = store_for(f"{scheme}://user:secret@127.0.0.1:{free_port()}/database")
    for asked in (store.open(), store.ping(), store.report(KEY, [NewRow(0, "a", "1")])):
        with pytest.raises(Unavailable) as caught:
            await asked
        assert "secret" not in str(caught.value)
    await store.close()


async def test_a_missing_database_is_a_set_up_error(server: DatabaseServer) -> None:
    store = store_for(server.url("nowhere"))
    with pytest.raises(SetupError, match="nowhere"):
        await store.open()
    await store.close()


async def test_a_user_without_privileges_is_a_set_up_error(server: DatabaseServer) -> None:
    name = await server.fresh_database()
    password = "PASSWORD 'secret'" if server.kind == "PostgreSQL" else "IDENTIFIED BY 'secret'"
    await server.execute(f"CREATE USER {name}_guest {password}")
    if server.kind == "PostgreSQL":
        await server.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC", name)
    url = server.url(name).replace("trialwatch@", f"{name}_guest:secret@")
    store = store_for(url.replace("root@", f"{name}_guest:secret@"))
    with pytest.raises(SetupError) as caught:
        await store.open()
    assert "secret" not in str(caught.value)
    await store.close()


async def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database at all\n" * 100)
    store = store_for(f"sqlite:///{tmp_path}/notes.txt")
    with pytest.raises(SetupError, match=r"notes\.txt.*not a database"):
        await store.open()
    await store.close()
    assert (tmp_path / "notes.txt").read_text().startswith("no database")


@pytest.mark.parametrize("where", ["missing/file.db", "."])
async def test_a_file_that_cannot_be_created_is_refused(tmp_path: Path, where: str) -> None:
    store = store_for(f"sqlite:///{tmp_path}/{where}")
    with pytest.raises(SetupError, match="check that its folder exists and is writable"):
        await store.open()
    await store.close()


async def test_a_cancelled_report_is_stored_whole_or_not_at_all(
    tmp_path: Path,
) -> None:
    store = store_for(f"sqlite:///{tmp_path}/file.db")
    await store.open()
    for n in range(20):
        report = asyncio.create_task(store.report(KEY, [NewRow(n, "a", "1")] * 500))
        await asyncio.sleep(0.001 * (n % 3))
        report.cancel()
        await asyncio.gather(report, return_exceptions=True)
    assert await store.report(KEY, [NewRow(99, "a", "1")]) == Receipt(stored=1)
    rows = [row async for page in store.read(Query(key=KEY)) for row in page]
    assert len(rows) % 500 == 1
    await store.close()


@pytest.mark.leaves_behind("descriptor", reason="of the log of the server, that is started anew")
@pytest.mark.parametrize("kind", [PostgreSQL, MariaDB])
async def test_a_pool_recovers_by_itself_when_its_server_comes_back(
    kind: type[DatabaseServer],
) -> None:
    with running(kind) as server:
        store = store_for(server.url(await server.fresh_database()))
        await store.open()
        await asyncio.gather(*(store.report(KEY, [NewRow(n, "a", "1")]) for n in range(20)))
        await asyncio.to_thread(server.stop)
        for asked in (store.ping(), store.summary(KEY), store.report(KEY, [NewRow(0, "a", "1")])):
            with pytest.raises(Unavailable):
                await asked
        await asyncio.to_thread(server.start)
        await store.ping()
        assert await store.report(KEY, [NewRow(99, "a", "1")]) == Receipt(stored=1)
        assert [summary.count for summary in await store.summary(KEY)] == [21]
        await store.close()
