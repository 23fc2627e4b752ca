"""The file of an open SQLite store is moved away: an error, instead of rows that no reader finds."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from api.errors import Unavailable
from dbmanager.store.contract import Delivery, NewRow, Query, TrialKey
from dbmanager.store.sqlite.store import SqliteStore
from tests.dbmanager.dbmanager_server import refused, served

KEY = TrialKey(namespace="a", trial="t")
ROW = NewRow(0, "loss", "1")
POINT = ("2026-01-31T12:00:00Z", "loss", "1")


def one(number: int) -> Delivery:
    return Delivery(source="pod", sequence=number)


async def rows_of(store: SqliteStore) -> int:
    return sum([len(rows) async for rows in store.read(Query(key=KEY))])


@pytest.mark.parametrize("way", ["moved", "deleted", "replaced"])
async def test_without_its_file_a_store_refuses_all_calls_and_makes_no_new_file(
    tmp_path: Path, way: str
) -> None:
    path, away = tmp_path / "runs.db", tmp_path / "away.db"
    store = SqliteStore(path)
    await store.open()
    await store.report(KEY, [ROW], one(1))
    path.rename(away)
    if way == "deleted":
        away.unlink()
    if way == "replaced":
        path.write_bytes(b"")
    before = sorted(tmp_path.iterdir())

    with pytest.raises(Unavailable, match=r"runs.db was moved away or deleted"):
        await store.report(KEY, [ROW], one(2))
    with pytest.raises(Unavailable, match="put the file back"):
        await store.ping()
    with pytest.raises(Unavailable):
        await rows_of(store)
    with pytest.raises(Unavailable):
        await store.delete(KEY)
    with pytest.raises(Unavailable):
        await store.open()

    assert sorted(tmp_path.iterdir()) == before
    await store.close()


async def test_when_the_file_is_back_the_store_goes_on_and_stores_each_report_once(
    tmp_path: Path,
) -> None:
    path, away = tmp_path / "runs.db", tmp_path / "away.db"
    store = SqliteStore(path)
    await store.open()
    await store.report(KEY, [ROW], one(1))
    path.rename(away)
    with pytest.raises(Unavailable):
        await store.report(KEY, [ROW], one(2))
    away.rename(path)

    await store.open()
    await store.report(KEY, [ROW], one(2))

    assert await rows_of(store) == 2
    await store.close()


async def test_without_its_file_the_server_is_unhealthy_and_reports_are_to_be_sent_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "runs.db"
    async with served(SqliteStore(path)) as client:
        await client.report("t", POINT)
        path.unlink()
        async with refused(grpc.StatusCode.UNAVAILABLE, "was moved away or deleted"):
            await client.report("t", POINT)
        call = client.health.Check(health_pb2.HealthCheckRequest())
        assert (await call).status == health_pb2.HealthCheckResponse.NOT_SERVING
        metadata = dict(await call.trailing_metadata())
        assert "was moved away or deleted" in metadata["trialwatch-cause"]
