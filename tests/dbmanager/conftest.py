"""The real database servers: one of each kind for all tests of a run, started at the first use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dbmanager.database_servers import DatabaseServer, MariaDB, PostgreSQL, running

pytest.register_assert_rewrite("tests.contracts.store")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[DatabaseServer]:
    """PostgreSQL. Tests share it, each with its own database, and never stop it."""
    with running(PostgreSQL) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    """MariaDB, shared in the same way."""
    with running(MariaDB) as server:
        yield server


@pytest.fixture(scope="session", params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    """Each kind, one after the other."""
    found: DatabaseServer = request.getfixturevalue(request.param)
    return found
