"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from api.errors import SetupError
from dbmanager.sqlite import SqliteStore
from dbmanager.store import Store


def store_for(url: str) -> Store:
    """Return the store that a URL names; nothing is opened yet.

    Raises:
        SetupError: it names none.
    """
    try:
        named = make_url(url)
    except ArgumentError as error:
        raise SetupError(f"--database {url!r} is no URL: {_REMEDY}") from error
    if named.get_backend_name() == "sqlite":
        if not named.database or named.database == ":memory:":
            raise SetupError(f"--database {url!r} names no file: {_REMEDY}")
        return SqliteStore(Path(named.database))
    shown = named.render_as_string(hide_password=True)
    raise SetupError(f"--database {shown!r} is of no kind that is known: {_REMEDY}")


_REMEDY = "write sqlite:///FILE (four slashes before an absolute path)"
