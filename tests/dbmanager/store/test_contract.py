"""Runs the contract suite (`tests.contracts.store.suite`) over every kind of store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from dbmanager.connect import store_for
from dbmanager.store.contract import Store
from dbmanager.store.memory import MemoryStore
from tests.contracts.store.suite import StoreContract
from tests.dbmanager.database_servers import DatabaseServer
from tests.dbmanager.dbmanager_server import served
from tests.dbmanager.store_over_grpc import RecordingStore, StoreOverGrpc


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()


class TestMemory(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        async with opened(MemoryStore()) as store:
            yield store


class TestSqlite(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        async with opened(store_for(f"sqlite:///{tmp_path}/observations.db")) as store:
            yield store


class TestPostgreSQL(StoreContract):
    @pytest.fixture
    async def store(self, postgresql: DatabaseServer) -> AsyncIterator[Store]:
        database = await postgresql.fresh_database()
        async with opened(store_for(postgresql.url(database))) as store:
            yield store


class TestMariaDB(StoreContract):
    @pytest.fixture
    async def store(self, mariadb: DatabaseServer) -> AsyncIterator[Store]:
        database = await mariadb.fresh_database()
        async with opened(store_for(mariadb.url(database))) as store:
            yield store


class TestGrpcOverSqlite(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        behind = RecordingStore(store_for(f"sqlite:///{tmp_path}/observations.db"))
        async with served(cast("Store", behind)) as client:
            store = StoreOverGrpc(client, behind)
            yield store
            store.hang_up()
