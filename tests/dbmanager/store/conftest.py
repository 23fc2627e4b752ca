"""A database as Katib's own DB manager has created and filled it."""

from __future__ import annotations

import pytest

from tests.dbmanager.database_servers import DatabaseServer
from tests.dbmanager.katib_tables import KatibDatabase
from tests.dbmanager.store.old_databases import OLD_ROWS


@pytest.fixture
async def katib(server: DatabaseServer) -> KatibDatabase:
    database = KatibDatabase(server, await server.fresh_database())
    await database.make_table()
    await database.write(*OLD_ROWS)
    return database
