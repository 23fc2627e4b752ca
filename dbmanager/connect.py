"""From a database's URL to its store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from api.errors import SetupError
from dbmanager.store.contract import Store

_KINDS = "sqlite:///FILE, postgresql://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE"


def store_for(url: str, *, initialize: bool = True) -> Store:
    """Return the store of a URL, not opened yet.

    Args:
        url: of one of the kinds above; four slashes come before an absolute path of SQLite's.
        initialize: whether opening it makes what is missing of its tables.

    Raises:
        SetupError: no store has such a URL.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise SetupError(f"--database: its URL cannot be read ({error}); write {_KINDS}") from None
    # Each kind is imported where it is wanted: an image may carry one driver alone.
    if scheme == "sqlite":
        from dbmanager.store.sqlite.store import SqliteStore  # noqa: PLC0415 - see above

        return SqliteStore(_file_of(url), initialize=initialize)
    name = f"the database {shown(url)}"
    if scheme in {"postgresql", "postgres"}:
        from dbmanager.store.postgres.store import PostgresStore  # noqa: PLC0415 - see above

        return PostgresStore(url, name, initialize=initialize)
    if scheme in {"mysql", "mariadb"}:
        from dbmanager.store.mysql.store import MysqlStore  # noqa: PLC0415 - see above

        return MysqlStore(url, name, initialize=initialize)
    raise SetupError(f"--database: {shown(url)!r} names no database; write {_KINDS}")


def shown(url: str) -> str:
    """Return a URL without its password, to be shown to people."""
    place = urlsplit(url).netloc
    login, at, where = place.rpartition("@")
    user, colon, _ = login.partition(":")
    return url.replace(place, f"{user}{':***' if colon else ''}{at}{where}", 1) if at else url


def _file_of(url: str) -> Path:
    parts = urlsplit(url)
    path = parts.path.removeprefix("/")
    if parts.netloc or parts.query or parts.fragment or path in {"", ":memory:"}:
        raise SetupError(f"--database: {url!r} names no file; write {_KINDS}")
    return Path(path)
