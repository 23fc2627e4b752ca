"""The real database servers, one of each for all tests of a run; started when first asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dbmanager.database_servers import DatabaseServer, MariaDB, PostgreSQL, running

pytest.register_assert_rewrite("tests.contracts.store")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[DatabaseServer]:
    """A server that every test has for itself by a database of its own; none stops it."""
    with running(PostgreSQL) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    """The same of MariaDB."""
    with running(MariaDB) as server:
        yield server


@pytest.fixture(scope="session", params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    """Each of them, one after the other."""
    found: DatabaseServer = request.getfixturevalue(request.param)
    return found
