"""No message has a part of a database's password, however wrong the URL is."""

from __future__ import annotations

import pytest

from api.errors import TrialwatchError
from dbmanager.connect import store_for, without_password

SECRET = "hunter"
URLS = [
    "postgresql://me:hunter@127.0.0.1:1/db",
    "postgresql://me:1/hunter@h/db",
    "postgresql://me:1#hunter@h/db",
    "postgresql://me:1?hunter@h/db",
    "postgresql://me:1@hunter@h/db",
    "postgresql://me:hun[hunter@h/db",
    "postgresql://me:hunter\N{ACCOUNT OF}@h/db",
    "postgresql://me:hunter@h:port/db",
    "postgresql://me:hunter@127.0.0.1:1/db?sslmode=hunter",
    "postgresql://127.0.0.1:1/db?user=me&password=hunter",
    "postgresql://127.0.0.1:1/db?user=me&password=1@hunter",
    "mysql://me:hunter@127.0.0.1:1/db",
    "mysql://me:1/hunter@h/db",
    "mysql://me:hunter@127.0.0.1:1/db?charset=x",
    "mysql://127.0.0.1:1/db?password=hunter",
    "sqlite://me:hunter@h/db",
    "sqlite:///db?password=hunter",
    "postgres//me:hunter@h/db",
    "me:hunter@h",
    "hunter",
    "oracle://me:hunter@h/db",
]


@pytest.mark.parametrize("url", URLS)
async def test_no_error_has_a_part_of_the_password(url: str) -> None:
    with pytest.raises(TrialwatchError) as caught:
        await store_for(url).open()

    assert SECRET not in str(caught.value)
    assert SECRET not in without_password(url)


def test_a_url_for_messages_keeps_user_host_port_and_database() -> None:
    shown = without_password("postgresql://me:hunter@[::1]:5432/runs?sslmode=disable")
    assert shown == "postgresql://me:***@[::1]:5432/runs?sslmode=disable"
    assert without_password("mysql://db.example:3306/runs") == "mysql://db.example:3306/runs"
    assert without_password("sqlite:////data/runs.db") == "sqlite:////data/runs.db"
